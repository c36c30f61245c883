"""A plan for a terminal."""

from collections.abc import Iterator

from sereno_slo.changes import telling
from sereno_slo.changes.comparing import Comparison, SloChange
from sereno_slo.diagnostics import on_one_line

_MOST_RULES = 20
_MOST_NAMES = 5


def as_text(comparison: Comparison, against: str) -> str:
    """All of it; `against` says what the old side is."""
    return "\n".join(map(on_one_line, _lines(comparison, against)))


def _lines(comparison: Comparison, against: str) -> Iterator[str]:
    yield f"against {against}"
    yield telling.headline(comparison)
    if comparison.defaults:
        yield from ("", "sereno.yaml changes", *(f"  {change}" for change in comparison.defaults))
    if comparison.gates:
        yield from ("", "gates change", *(f"  {change}" for change in comparison.gates))
    yield from _inhibitions(comparison)
    own = [change for change in comparison.changes if not change.is_by_defaults]
    for change in own:
        yield ""
        yield from _slo(change, telling.days_replayed(comparison))
    if by_defaults := [change for change in comparison.changes if change.is_by_defaults]:
        yield from ("", *_by_defaults(by_defaults))
    if comparison.changes:
        yield from ("", telling.ASSUMPTIONS)


def _inhibitions(comparison: Comparison) -> Iterator[str]:
    changes = comparison.inhibitions
    if changes:
        yield from ("", "nobody is told in Alertmanager, from now on (+) or no longer (-)")
        yield from (f"  {telling.inhibition(change)}" for change in changes[:_MOST_RULES])
        if len(changes) > _MOST_RULES:
            yield f"  and {len(changes) - _MOST_RULES:,} more"
        yield f"  {telling.INHIBITION}"


def _by_defaults(changes: list[SloChange]) -> Iterator[str]:
    names = ", ".join(change.name for change in changes[:_MOST_NAMES])
    more = f" and {len(changes) - _MOST_NAMES:,} more" if len(changes) > _MOST_NAMES else ""
    yield f"by sereno.yaml alone, rules change of {names}{more}"


def _slo(change: SloChange, days: float | None) -> Iterator[str]:
    yield telling.title(change)
    for setting in change.settings:
        yield f"  {setting}"
    yield f"  rules: {telling.rules_in_short(change)}"
    rules = list(telling.rule_lines(change))
    yield from (f"    {line}" for line in rules[:_MOST_RULES])
    if len(rules) > _MOST_RULES:
        yield f"    and {len(rules) - _MOST_RULES:,} more"
    yield f"  recorded series: {telling.recorded(change)}"
    if counted := telling.raw_series(change):
        yield f"  raw series: {counted}"
    yield f"  samples a minute, read: {telling.samples_read(change)}"
    yield f"  samples a minute, written: {telling.samples_written(change)}"
    if telling.is_unknown(change):
        yield f"  budget, pages, tickets: {telling.NOT_REPLAYED}"
    elif days is not None:
        figures = f"budget {telling.budget(change)}, pages {telling.pages(change)}, tickets {telling.tickets(change)}"
        coverage = telling.coverage(change)
        yield f"  last {days:.10g} days: {figures}{f'; {coverage}' if coverage else ''}"
    for note in change.notes:
        yield f"  past: {note}"
