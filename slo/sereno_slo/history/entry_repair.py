"""Minute entries that are missing, recomputed from raw samples; and what happened while targets were out of sight."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sereno_slo.history.expressions import (
    Returns,
    entry_expressions,
    is_sliced,
    minute_part,
    shortened,
)
from sereno_slo.history.reading import Labels, Reader, Table, moments_of
from sereno_slo.history.slots import MINUTE_MS, Slot, is_recorded
from sereno_slo.model import Latency, ServiceLevelObjective, Settings
from sereno_slo.plan import series
from sereno_slo.plan.counting import counters_of
from sereno_slo.plan.series import Ledger
from sereno_slo.promql import Expr, Selector

# Before the entry of the minute in which a target came back: where no entry, and no other repair, ever lies.
CAUGHT_UP_SHIFT_MS = 2


@dataclass(frozen=True, slots=True)
class Entries:
    """One of a ledger's series of entries: as it is recorded, and what is to be added."""

    recorded: Table
    added: Table


def missing_entries(
    slo: ServiceLevelObjective,
    ledger: Ledger,
    settings: Settings,
    reader: Reader,
    *,
    minutes: Sequence[Slot],
    recorded: Mapping[str, Table],
    caught_up: Collection[int],
) -> dict[str, Entries]:
    """Entries of `minutes` that raw samples still tell, by the names of their series.

    A minute of which any group has an entry was evaluated: groups without one had nothing, or weren't admitted. Of
    minutes that the rules have caught up themselves only the coverage is missing.
    """
    repaired: dict[str, Entries] = {}
    for name, expr in entry_expressions(slo, ledger, settings).items():
        moments = moments_of(recorded[name])
        is_coverage = name == series.COVERAGE_ENTRY
        missing = [
            slot
            for slot in minutes
            if not is_recorded(moments, slot.at_ms) and (is_coverage or slot.at_ms not in caught_up)
        ]
        values = _recomputed(
            expr,
            missing,
            slo=slo,
            settings=settings,
            reader=reader,
            is_coverage=is_coverage,
        )
        repaired[name] = Entries(recorded[name], values)
    if slo.group_by is not None and ledger.group_labels:
        repaired = _admitted(repaired, slo.group_by.limit)
    return {name: Entries(e.recorded, _placed(e.added, e.recorded)) for name, e in repaired.items()}


def _recomputed(
    expr: Expr,
    missing: Sequence[Slot],
    *,
    slo: ServiceLevelObjective,
    settings: Settings,
    reader: Reader,
    is_coverage: bool,
) -> Table:
    whole = [slot.at_ms for slot in missing if slot.length_ms >= MINUTE_MS]
    values = reader.evaluated(expr, whole)
    for slot in missing:
        if slot.length_ms >= MINUTE_MS or is_sliced(slo.indicator):
            continue
        weight = minute_part(slot.length_ms) if is_coverage else 1
        for labels, points in reader.evaluated(shortened(expr, slot.length_ms, settings), [slot.at_ms]).items():
            values.setdefault(labels, {}).update({at: value * weight for at, value in points.items()})
    return values


def _admitted(entries: dict[str, Entries], limit: int) -> dict[str, Entries]:
    """First come, first served, as rules admit groups; those that have entries came first of all."""
    events = entries[series.EVENTS_ENTRY]
    known = set(events.recorded)
    coming = sorted((min(points), labels) for labels, points in events.added.items() if labels not in known and points)
    admitted = known | {labels for _, labels in coming[: max(0, limit - len(known))]}
    kept = {
        name: Entries(
            repaired.recorded, {labels: repaired.added[labels] for labels in repaired.added if labels in admitted}
        )
        for name, repaired in entries.items()
    }
    bad_events = kept[series.BAD_EVENTS_ENTRY]
    return kept | {series.BAD_EVENTS_ENTRY: Entries(bad_events.recorded, _where_counted(bad_events.added, events))}


def _where_counted(bad_events: Table, events: Entries) -> Table:
    """Bad events are counted for groups that have an entry of events."""
    kept: Table = {}
    for labels, points in bad_events.items():
        counted = sorted({*events.added.get(labels, {}), *events.recorded.get(labels, {})})
        kept[labels] = {at: value for at, value in points.items() if is_recorded(counted, at)}
    return kept


def _placed(added: Table, recorded: Table) -> Table:
    """Where a series ended, the next slot may hold the invisible marker of its end: a millisecond before it is free."""
    placed: Table = {}
    for labels, points in added.items():
        existing = sorted(recorded.get(labels, {}))
        placed[labels] = {at - is_recorded(existing, at - MINUTE_MS): value for at, value in sorted(points.items())}
    return placed


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What happened out of sight, by the moment before which it is booked."""

    events: Table
    bad_events: Table


def caught_up(
    slo: ServiceLevelObjective,
    ledger: Ledger,
    reader: Reader,
    *,
    returns: Returns,
    minutes: Sequence[int],
    booked: Sequence[int],
) -> CaughtUp:
    """What was counted on targets while they were out of sight for longer than entries look back.

    `minutes` are those in which targets came back, `booked` the moments at which entries are recorded: what an earlier
    repair has booked isn't booked again.
    """
    counters = counters_of(slo.indicator)
    open_minutes = [at for at in minutes if not is_recorded(booked, at - CAUGHT_UP_SHIFT_MS)]
    if counters is None or not open_minutes:
        return CaughtUp({}, {})

    def unseen(counter: Selector) -> Table:
        seen = reader.evaluated(returns.seen_by_entry(counter, ledger.group_labels), open_minutes)
        return _less(reader.evaluated(returns.caught_up(counter, ledger.group_labels), open_minutes), seen)

    total, part = unseen(counters.total), unseen(counters.part)
    match slo.indicator:
        case Latency():
            # Without the bucket nobody knows which were slow.
            of_known = {labels: {at: total[labels][at] for at in part.get(labels, {})} for labels in total}
            bad = _less(of_known, part)
        case _:
            bad = part if counters.part_is_bad else _less(total, part)
    return CaughtUp(_booked(total), _booked(bad))


def returned_minutes(
    slo: ServiceLevelObjective, reader: Reader, returns: Returns, minutes: Sequence[Slot]
) -> tuple[int, ...]:
    """The minutes in which targets came back."""
    counters = counters_of(slo.indicator)
    if counters is None:
        return ()
    found = reader.evaluated(returns.count(counters.total), [slot.at_ms for slot in minutes])
    return tuple(moments_of(found))


def _less(table: Table, other: Table) -> Table:
    return {
        labels: {at: value - other.get(labels, {}).get(at, 0) for at, value in points.items()}
        for labels, points in table.items()
    }


def _booked(table: Table) -> Table:
    return {
        labels: {at - CAUGHT_UP_SHIFT_MS: value for at, value in points.items() if value}
        for labels, points in table.items()
    }


def with_added(entries: Entries, caught_up: Table) -> Entries:
    """The entries with what was caught up among those that are to be added."""
    added: dict[Labels, dict[int, float]] = defaultdict(dict)
    for table in (entries.added, caught_up):
        for labels, points in table.items():
            added[labels].update(points)
    return Entries(entries.recorded, {labels: points for labels, points in added.items() if points})
