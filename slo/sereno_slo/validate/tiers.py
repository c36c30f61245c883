"""Mistakes in an alerting policy of one's own, in specs and in `sereno.yaml` alike."""

from collections.abc import Iterator
from typing import Any

from sereno_slo.conventions import LONGEST_SUM_OF_MINUTES
from sereno_slo.diagnostics import Diagnostic
from sereno_slo.duration import FIVE_MINUTES, MINUTE, Duration
from sereno_slo.parse.yaml_tree import Path, YamlTree


def tier_mistakes(tree: YamlTree, path: Path, tiers: Any) -> Iterator[Diagnostic]:
    """What is wrong with the list of tiers at `path`; what the grammar refuses anyway is left to it."""
    seen: dict[tuple[str, Duration], int] = {}
    for index, tier in enumerate(tiers if isinstance(tiers, list) else ()):
        if not isinstance(tier, dict):
            continue
        here = (*path, index)
        windows = {key: _duration(tier.get(key)) for key in ("long", "short")}
        for key, window in windows.items():
            if window is not None:
                yield from _not_recorded(tree, (*here, key), window)
        long, short = windows["long"], windows["short"]
        if long is None:
            continue
        if short is not None and short >= long:
            message = f"the short window {short} is not shorter than the long one, {long}"
            cure = f"write for example short: {_twelfth(long)}, a twelfth: the alert ends so soon after its cause"
            yield Diagnostic("SLO036", tree.span((*here, "short")), message, cure)
        # What is no text at all is the grammar's mistake to tell.
        first = seen.setdefault((repr(tier.get("severity")), long), index)
        if first != index:
            line = tree.span((*path, first)).line
            message = f"the {tier.get('severity')} alert over {long} stands in line {line}, too"
            yield Diagnostic("SLO038", tree.span(here), message, "give each tier of a severity its own long window")


def _not_recorded(tree: YamlTree, path: Path, window: Duration) -> Iterator[Diagnostic]:
    """Windows sum entries of a minute, and above six hours roll-ups of five minutes."""
    step = FIVE_MINUTES if window > LONGEST_SUM_OF_MINUTES else MINUTE
    if window.milliseconds % step.milliseconds or window < FIVE_MINUTES:
        below = max(window.milliseconds // step.milliseconds * step.milliseconds, FIVE_MINUTES.milliseconds)
        message = f"a window of {window} is not made of whole entries of {step}, at least five minutes of them"
        yield Diagnostic("SLO037", tree.span(path), message, f"write for example {Duration(below)}")


def _twelfth(long: Duration) -> Duration:
    minutes = max(5, long.milliseconds // MINUTE.milliseconds // 12)
    return MINUTE * (minutes if MINUTE * minutes <= LONGEST_SUM_OF_MINUTES else minutes // 5 * 5)


def _duration(text: Any) -> Duration | None:
    try:
        return Duration.parse(text) if isinstance(text, str) else None
    except ValueError:
        return None
