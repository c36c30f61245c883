"""What a ledger lacks: entries from raw samples, what happened out of sight, and the roll-ups of both."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sereno_slo.duration import Duration
from sereno_slo.history.entry_repair import (
    CaughtUp,
    Entries,
    caught_up,
    missing_entries,
    returned_minutes,
    with_added,
)
from sereno_slo.history.expressions import Returns
from sereno_slo.history.reading import Labels, Reader, Table, moments_of
from sereno_slo.history.roll_ups import missing_roll_ups
from sereno_slo.history.slots import FIVE_MINUTES_MS, MINUTE_MS, Slot, Span, caught_up_by, is_recorded, slots
from sereno_slo.model import ServiceLevelObjective, Settings
from sereno_slo.plan import series
from sereno_slo.plan.series import Ledger

_ROLL_UPS = {
    series.EVENTS_ENTRY: series.EVENTS_ROLL_UP,
    series.BAD_EVENTS_ENTRY: series.BAD_EVENTS_ROLL_UP,
    series.COVERAGE_ENTRY: series.COVERAGE_ROLL_UP,
}
_MISSED = {
    series.EVENTS_ENTRY: series.EVENTS_MISSED,
    series.BAD_EVENTS_ENTRY: series.BAD_EVENTS_MISSED,
}
# Roll-ups before the span are looked at so far back: more than any of them catches up (30 minutes).
_LOOK_BACK_MS = 40 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class SeriesRepair:
    """Samples to add to one recorded series, in order of time."""

    metric: str
    labels: Mapping[str, str]
    points: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class AccountRepair:
    """What was found out about one ledger, and what to add to it."""

    ledger: Ledger
    minutes_missing: int
    """Minutes without an entry, which the rules haven't caught up either."""
    minutes_recomputed: int
    """Of those, the ones whose raw samples still tell what happened."""
    gaps_caught_up: int
    """Minutes at whose end targets came back that had been out of sight for longer than entries look back."""
    events: float
    """How many events are added, over all groups."""
    bad_events: float
    series: tuple[SeriesRepair, ...]

    @property
    def minutes_unknown(self) -> int:
        """Minutes that stay without an entry: there are no raw samples."""
        return self.minutes_missing - self.minutes_recomputed

    @property
    def samples(self) -> int:
        """How many samples there are to write."""
        return sum(len(repair.points) for repair in self.series)


def repair_ledger(
    slo: ServiceLevelObjective, settings: Settings, reader: Reader, span: Span, longest_gap: Duration
) -> tuple[AccountRepair, ...]:
    """What the ledger of an SLO lacks within the span, and the ledgers of its groups, if it has any.

    Only whole roll-ups are repaired: the span ends with the last one in it. Nothing is added where a sample exists, so
    that a second run, with what the first one wrote in place, finds nothing.

    Raises:
        PrometheusError: the server didn't answer, or not in full.
        ForeignLabels: the server gathers the ledgers of several.
    """
    whole = Ledger.of(slo)
    looked_from_ms = span.start_ms - _LOOK_BACK_MS
    roll_ups = reader.recorded(whole, series.EVENTS_ROLL_UP, looked_from_ms, span.now_ms)
    five_minutes = slots(moments_of(roll_ups), FIVE_MINUTES_MS, looked_from_ms, span.now_ms)
    closed = [slot.at_ms for slot in five_minutes if slot.at_ms <= span.end_ms]
    span = replace(span, end_ms=max(closed, default=span.start_ms))
    entries = reader.recorded(whole, series.EVENTS_ENTRY, looked_from_ms, span.now_ms)
    until_now = slots(moments_of(entries), MINUTE_MS, span.start_ms, span.now_ms)
    # The last minute belongs to a roll-up after the span: it is left to a later run.
    minutes = tuple(slot for slot in until_now if slot.at_ms <= span.end_ms - MINUTE_MS)
    returns = Returns(settings, longest_gap)
    returned = returned_minutes(slo, reader, returns, minutes)
    ledgers = [whole] if slo.group_by is None else [whole, Ledger.of_groups(slo, slo.group_by)]
    work = _Work(slo, settings, reader, span, minutes, until_now, five_minutes, returns, returned)
    return tuple(work.account(ledger) for ledger in ledgers)


@dataclass(frozen=True, slots=True)
class _Work:
    """What the ledgers of an SLO have in common."""

    slo: ServiceLevelObjective
    settings: Settings
    reader: Reader
    span: Span
    minutes: tuple[Slot, ...]
    minutes_until_now: tuple[Slot, ...]
    five_minutes: tuple[Slot, ...]
    returns: Returns
    returned: tuple[int, ...]

    def account(self, ledger: Ledger) -> AccountRepair:
        recorded = {name: self._recorded(ledger, name) for name in _names(ledger)}
        booked = moments_of(recorded[series.EVENTS_ENTRY])
        missed = {name: self._recorded(ledger, of_name) for name, of_name in _MISSED.items()}
        told = caught_up_by(self.minutes_until_now, booked, moments_of(missed[series.EVENTS_ENTRY]))
        entries = missing_entries(
            self.slo, ledger, self.settings, self.reader, minutes=self.minutes, recorded=recorded, caught_up=told
        )
        unseen = caught_up(self.slo, ledger, self.reader, returns=self.returns, minutes=self.returned, booked=booked)
        entries, recomputed = _booked(entries, unseen), entries
        repairs = [
            repair
            for name in _names(ledger)
            for repair in (
                *_series(ledger, name, entries[name].added),
                *self._roll_ups(ledger, name, entries[name], missed.get(name, {})),
            )
        ]
        missing = [s for s in self.minutes if not is_recorded(booked, s.at_ms) and s.at_ms not in told]
        return AccountRepair(
            ledger,
            minutes_missing=len(missing),
            minutes_recomputed=len(moments_of(recomputed[series.EVENTS_ENTRY].added)),
            gaps_caught_up=len(moments_of(unseen.events)),
            events=_total(entries[series.EVENTS_ENTRY].added),
            bad_events=_total(entries[series.BAD_EVENTS_ENTRY].added),
            series=tuple(repairs),
        )

    def _recorded(self, ledger: Ledger, name: str) -> Table:
        return self.reader.recorded(ledger, name, self.span.start_ms - _LOOK_BACK_MS, self.span.now_ms)

    def _roll_ups(self, ledger: Ledger, name: str, entries: Entries, missed: Table) -> tuple[SeriesRepair, ...]:
        """Roll-ups of all entries, those that are to be added included, and of what the rules found they had missed."""
        roll_ups = self._recorded(ledger, _ROLL_UPS[name])
        missing: Table = {}
        for labels in entries.recorded.keys() | entries.added.keys() | missed.keys():
            added = entries.added.get(labels, {})
            known = roll_ups.get(labels, {})
            begin_ms = self._begin_ms(known)
            missing[labels] = missing_roll_ups(
                [slot for slot in self.five_minutes if slot.after_ms >= begin_ms],
                _as_rolled_up(_together(entries.recorded.get(labels, {}), added, missed.get(labels, {}))),
                _as_rolled_up(added).keys(),
                known,
                self.span.end_ms,
            )
        return _series(ledger, _ROLL_UPS[name], missing)

    def _begin_ms(self, roll_ups: Mapping[int, float]) -> int:
        """The last roll-up before the span: what was before it is settled, and none after it has caught up more."""
        return max((at for at in roll_ups if at <= self.span.start_ms), default=self.span.start_ms - _LOOK_BACK_MS)


def _as_rolled_up(entries: Mapping[int, float]) -> dict[int, float]:
    """Entries by the moment from which on roll-ups sum them: a minute after their own."""
    return {at_ms + MINUTE_MS: value for at_ms, value in entries.items()}


def _names(ledger: Ledger) -> tuple[str, ...]:
    """The names of a ledger's entries; groups have no coverage of their own."""
    return tuple(name for name in _ROLL_UPS if not ledger.group_labels or name != series.COVERAGE_ENTRY)


def _booked(entries: Mapping[str, Entries], unseen: CaughtUp) -> dict[str, Entries]:
    """With what happened out of sight; minutes in which nothing was seen stay unseen, so coverage stays as it is."""
    known: set[Labels] = {*entries[series.EVENTS_ENTRY].recorded, *entries[series.EVENTS_ENTRY].added}
    of_series = {series.EVENTS_ENTRY: unseen.events, series.BAD_EVENTS_ENTRY: unseen.bad_events}
    return {
        name: with_added(
            repaired, {labels: points for labels, points in of_series.get(name, {}).items() if labels in known}
        )
        for name, repaired in entries.items()
    }


def _together(*parts: Mapping[int, float]) -> dict[int, float]:
    """Several values of one moment are summed."""
    sums: dict[int, float] = {}
    for part in parts:
        for at_ms, value in part.items():
            sums[at_ms] = sums.get(at_ms, 0.0) + value
    return sums


def _series(ledger: Ledger, name: str, table: Table) -> tuple[SeriesRepair, ...]:
    metric = ledger.series(name).metric
    return tuple(
        SeriesRepair(metric, {**dict(labels), **ledger.labels}, tuple(sorted(points.items())))
        for labels, points in sorted(table.items())
        if points
    )


def _total(table: Table) -> float:
    return sum(value for points in table.values() for value in points.values())
