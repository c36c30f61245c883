"""The table that people read, and the same as JSON."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.accuracy.judge import Outcome
from benchmarks.accuracy.methods import PYRRA, SERENO, SLOTH

MOST_RELATIVE_ERROR = 0.005
"""What Sereno promises of every scenario that counts."""
PEERS = (SLOTH, PYRRA)


def missed(outcome: Outcome) -> str:
    """Why an outcome breaks the promise; empty if it keeps it, or isn't judged."""
    if not outcome.must:
        return ""
    if outcome.measured[SERENO].missing:
        return f"{outcome.measured[SERENO].missing} values are missing or NaN"
    error = outcome.relative_error(SERENO)
    if math.isnan(error):
        return "there is no error ratio"
    return "" if abs(error) <= MOST_RELATIVE_ERROR else f"the error ratio is {error:+.2%} off"


def lines(outcomes: Iterable[Outcome]) -> Mapping[str, Outcome]:
    """One outcome for each line of the table: the worst of its family, seen from Sereno."""
    worst: dict[str, Outcome] = {}
    for outcome in outcomes:
        known = worst.get(outcome.line)
        if known is None or _badness(outcome) > _badness(known):
            worst[outcome.line] = outcome
    return worst


def _badness(outcome: Outcome) -> float:
    error = outcome.relative_error(SERENO)
    return math.inf if math.isnan(error) or outcome.measured[SERENO].missing else abs(error)


def print_table(outcomes: Sequence[Outcome], title: str, console: Console) -> None:
    """Every line, and the worst one of each method."""
    table = Table(title=title)
    table.add_column("scenario", max_width=52)
    for heading in ("true ratio", "unseen", "sereno", "points", "coverage", "missing"):
        table.add_column(heading, justify="right")
    for peer in PEERS:
        table.add_column(peer, justify="right")
        table.add_column("points", justify="right")
    for line, outcome in lines(outcomes).items():
        table.add_row(*_row(line, outcome), style="bold red" if missed(outcome) else "")
    table.add_section()
    table.add_row("worst of those that are judged", "", "", *_worst(outcomes))
    console.print(table)


def _row(line: str, outcome: Outcome) -> list[str]:
    truth, own = outcome.truth[""], outcome.measured[SERENO]
    unseen = truth.unseen_bad_events / truth.bad_events if truth.bad_events else 0.0
    row = [
        line if outcome.must else f"({line})",
        f"{truth.error_ratio:.4%}",
        f"{unseen:.2%}",
        _percent(outcome.relative_error(SERENO)),
        _points(outcome.budget_error_points(SERENO)),
        "-" if own.coverage is None else f"{own.coverage:.4f}",
        f"{own.missing}/{own.evaluations}",
    ]
    for peer in PEERS:
        row += _peer(outcome, peer)
    return row


def _peer(outcome: Outcome, peer: str) -> tuple[str, str]:
    if not _was_asked(outcome, peer):
        return "-", "-"
    return _percent(outcome.relative_error(peer)), _points(outcome.budget_error_points(peer))


def _was_asked(outcome: Outcome, method: str) -> bool:
    return method in outcome.measured and bool(outcome.measured[method].asked)


def _worst(outcomes: Sequence[Outcome]) -> list[str]:
    judged = [outcome for outcome in outcomes if outcome.must]
    cells = [_extreme(judged, SERENO), _most_points(judged, SERENO), "", str(_missing(judged))]
    for peer in PEERS:
        known = [outcome for outcome in judged if _was_asked(outcome, peer)]
        cells += [_extreme(known, peer), _most_points(known, peer)]
    return cells


def _extreme(outcomes: Sequence[Outcome], method: str) -> str:
    errors = [outcome.relative_error(method) for outcome in outcomes]
    without = sum(math.isnan(error) for error in errors)
    worst = max((error for error in errors if not math.isnan(error)), key=abs, default=math.nan)
    return _percent(worst) + (f", {without} NaN" if without else "")


def _most_points(outcomes: Sequence[Outcome], method: str) -> str:
    points = [outcome.budget_error_points(method) for outcome in outcomes]
    return _points(max((one for one in points if not math.isnan(one)), key=abs, default=math.nan))


def _missing(outcomes: Sequence[Outcome]) -> int:
    return sum(outcome.measured[SERENO].missing for outcome in outcomes)


def _percent(ratio: float) -> str:
    return "NaN" if math.isnan(ratio) else f"{ratio:+.2%}" if abs(ratio) < 10 else f"{ratio:+,.0%}"  # noqa: PLR2004


def _points(points: float) -> str:
    return "NaN" if math.isnan(points) else f"{points:+,.2f}"


def as_json(outcomes: Iterable[Outcome], **about: object) -> dict[str, Any]:
    """Everything that was measured; what is no number is null."""
    return {**about, "scenarios": [_outcome_json(outcome) for outcome in outcomes]}


def _outcome_json(outcome: Outcome) -> dict[str, Any]:
    truth = outcome.truth[""]
    return {
        "name": outcome.name,
        "line": outcome.line,
        "judged": outcome.must,
        "missed": missed(outcome),
        "true": {
            "events": truth.events,
            "bad_events": truth.bad_events,
            "unseen_bad_events": truth.unseen_bad_events,
            "error_ratio": truth.error_ratio,
        },
        "measured": {
            method: {
                "error_ratio": {group: _number(value) for group, value in measured.error_ratio.items()},
                "relative_error": _number(outcome.relative_error(method)),
                "budget_error_points": _number(outcome.budget_error_points(method)),
                "coverage": measured.coverage,
                "evaluations": measured.evaluations,
                "missing": measured.missing,
            }
            for method, measured in outcome.measured.items()
        },
        "seconds": round(outcome.seconds, 2),
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
