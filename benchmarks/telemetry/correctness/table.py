"""The table of all scenarios and instrumentations, as text and as markdown."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.telemetry.correctness.judging import Judgement
from benchmarks.telemetry.correctness.scenarios import SCENARIOS, Scenario
from benchmarks.telemetry.environment import Environment
from benchmarks.telemetry.instruments import BARE, FLOOR, INSTRUMENTS, SERENO
from benchmarks.telemetry.workers import Worker

COMMAND = "python -m benchmarks.telemetry correctness --markdown docs/telemetry/correctness.md"


@dataclass(frozen=True, slots=True)
class Row:
    """One scenario, and what each instrumentation made of it."""

    scenario: Scenario
    judgements: Mapping[str, Judgement]


def play_all(environment: Environment, progress: Callable[[str], None]) -> list[Row]:
    """Every scenario on every instrumentation that is there."""
    judged: dict[str, dict[str, Judgement]] = {name: {} for name in SCENARIOS}
    for instrument in environment.instruments:
        if instrument in {BARE, FLOOR}:
            continue
        progress(f"{instrument}: {len(SCENARIOS)} scenarios")
        with Worker(environment, "correctness", instrument=instrument) as worker:
            for name in SCENARIOS:
                judged[name][instrument] = Judgement(**worker.ask(scenario=name))
    return [Row(SCENARIOS[name], judgements) for name, judgements in judged.items()]


def print_table(console: Console, rows: Sequence[Row]) -> None:
    """As text."""
    table = Table(title="What requests are counted as", show_lines=True)
    for title in ("what happens", "what is right", *_instruments(rows)):
        table.add_column(title)
    for row in rows:
        cells = (f"{_MARKS[judgement.right]}\n{judgement.said}" for judgement in row.judgements.values())
        table.add_row(row.scenario.name, row.scenario.right, *cells)
    table.add_row("wrong", "", *(str(wrong(rows, name)) for name in _instruments(rows)))
    console.print(table, markup=False)


def markdown(rows: Sequence[Row], environment: Environment, today: dt.date) -> str:
    """The page of the documentation."""
    names = _instruments(rows)
    versions = ", ".join(f"{name} {version}" for name, version in sorted(environment.versions.items()))
    lines = [
        "# What requests are counted as: Sereno and its peers",
        "",
        "Each cell is what the real instrumentation did when the benchmark played the scenario, on an app of FastAPI",
        f"driven over ASGI. Made by `{COMMAND}` on {today.isoformat()}, with {versions}.",
        "Peers have the options on that make them better here (`benchmarks/telemetry/instruments.py`).",
        "✓ right, ✗ wrong, · doesn't claim to do it; below it, what it said.",
        "",
        _line(["what happens", "what is right", *names]),
        _line(["---"] * (2 + len(names))),
    ]
    for row in rows:
        cells = [f"{_MARKS[one.right]} {_escaped(one.said)}" for one in row.judgements.values()]
        lines.append(_line([row.scenario.name, row.scenario.right, *cells]))
    lines.append(_line(["**wrong**", "", *(f"**{wrong(rows, name)}** of {len(rows)}" for name in names)]))
    return "\n".join([*lines, ""])


def wrong(rows: Sequence[Row], instrument: str) -> int:
    """In how many rows an instrumentation is wrong."""
    return sum(row.judgements[instrument].right is False for row in rows)


def missed(rows: Sequence[Row]) -> Iterator[str]:
    """Every row where Sereno isn't right."""
    for row in rows:
        judgement = row.judgements[SERENO]
        if not judgement.right:
            yield f"{row.scenario.name}: {judgement.said}, right is: {row.scenario.right}"


def as_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Everything that was found, as plain data."""
    return [
        {
            "scenario": row.scenario.name,
            "instrument": name,
            "right": judgement.right,
            "said": judgement.said,
        }
        for row in rows
        for name, judgement in row.judgements.items()
    ]


_MARKS = {True: "✓", False: "✗", None: "·"}


def _instruments(rows: Sequence[Row]) -> list[str]:
    return [name for name in INSTRUMENTS if rows and name in rows[0].judgements]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    """Braces and stars as they are; a pipe would end the cell."""
    return text.replace("|", "\\|").replace("<", "&lt;")
