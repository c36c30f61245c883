"""When the alerts of one SLO fire, from its entries and the rules that the compiler plans for it."""

from dataclasses import dataclass, replace

import numpy as np

from sereno_slo.backtest.arrays import Array, Firing, over, shifted
from sereno_slo.backtest.entries import Entries
from sereno_slo.backtest.interpreter import Samples
from sereno_slo.backtest.own_time import Clock, OwnTime, minutes_of
from sereno_slo.duration import FIVE_MINUTES, MINUTE, Duration
from sereno_slo.model import Service, ServiceLevelObjective, Settings
from sereno_slo.plan import AlertingRule, RecordingRule, plan_service, series
from sereno_slo.plan.no_data import ALERT as NO_DATA
from sereno_slo.plan.no_data import no_data_alerts
from sereno_slo.plan.traffic import ALERT as TRAFFIC_DROP
from sereno_slo.plan.traffic import NOT_YET_BACK
from sereno_slo.plan.traffic import WINDOWS as TRAFFIC_WINDOWS

_SLOT = 5
_ENTRIES = (series.EVENTS_ENTRY, series.BAD_EVENTS_ENTRY)
_ROLL_UPS = {series.EVENTS_ROLL_UP: series.EVENTS_ENTRY, series.BAD_EVENTS_ROLL_UP: series.BAD_EVENTS_ENTRY}
_OF_THE_WORLD = (
    *_ENTRIES,
    *_ROLL_UPS,
    series.EVENTS_MISSED,
    series.BAD_EVENTS_MISSED,
    series.COVERAGE_ENTRY,
    series.COVERAGE_ROLL_UP,
    series.COVERAGE,
    series.ROLL_UP_MARK,
    series.WALL_CLOCK,
    series.WALL_AT_START,
    series.WALL_AT_END,
)


@dataclass(frozen=True, slots=True)
class Alert:
    """One alerting rule, the minutes in which it fires, and its value at every minute."""

    name: str
    severity: str
    firing: Firing
    value: Array
    burn: str | None
    """The label `burn`: fast, slow or outage; None of alerts that aren't about burning."""
    long_window: str | None


def alerts_of(slo: ServiceLevelObjective, settings: Settings, events: Array, bad_events: Array) -> tuple[Alert, ...]:
    """Every alert of the SLO over the minutes of these entries, but for those that look at targets."""
    samples, rules = recorded(slo, settings, events, bad_events)
    return tuple(_alert(rule, samples.one(rule.expr)) for rule in rules if isinstance(rule, AlertingRule))


@dataclass(frozen=True, slots=True)
class Replayed:
    """What an SLO's rules record and fire."""

    samples: Samples
    alerts: tuple[Alert, ...]


def replayed(slo: ServiceLevelObjective, settings: Settings, entries: Entries) -> Replayed:
    """Every alert of the SLO, also those that look at targets, and all that is recorded.

    A shadow's alerts are those that it would be; groups of an SLO are not replayed, only the whole.
    """
    own = replace(slo, group_by=None, alerting=replace(slo.alerting, shadow=False))
    own_time = OwnTime(own, settings, minutes_of(entries.origin_ms, entries.minutes))
    samples, rules = recorded(
        own_time.planned, settings, entries.events, entries.bad_events, evaluated=entries.evaluated, own_time=own_time
    )
    values = [(rule, samples.one(rule.expr)) for rule in rules if isinstance(rule, AlertingRule)]
    values += zip(no_data_alerts(own, settings), entries.no_data, strict=True)
    values = [(rule, _told(rule, value, samples, own)) for rule, value in values]
    # Nobody evaluates anything while Prometheus stands still.
    alerts = (_alert(rule, np.where(entries.evaluated, value, np.nan)) for rule, value in values)
    return Replayed(samples, tuple(alerts))


def _told(rule: AlertingRule, value: Array, samples: Samples, slo: ServiceLevelObjective) -> Array:
    """What is told of time that doesn't count, or has just begun to count again."""
    if not slo.exclusions or rule.alert not in (NO_DATA, TRAFFIC_DROP):
        return value
    within = MINUTE if rule.alert == NO_DATA else max(TRAFFIC_WINDOWS) + NOT_YET_BACK
    was_excluded = over("max", samples.series[series.EXCLUDED], round(within / MINUTE) + 1) == 1
    return np.where(was_excluded, np.nan, value)


def recorded(
    slo: ServiceLevelObjective,
    settings: Settings,
    events: Array,
    bad_events: Array,
    *,
    evaluated: Firing | None = None,
    own_time: OwnTime | None = None,
) -> tuple[Samples, tuple[RecordingRule | AlertingRule, ...]]:
    """What the SLO's rules record of these entries, and all rules that read only what they record.

    `evaluated` tells in which minutes there was a Prometheus to evaluate them; None: always. SLOs with a calendar
    window need `own_time`.
    """
    service = Service(slo.service, slo.owner, slo.tier, (slo,), "benchmark")
    every_minute, every_slot = plan_service(service, settings).groups
    samples = Samples(len(events), dict(zip(_ENTRIES, (events, bad_events), strict=True)))
    is_slot = np.arange(len(events)) % _SLOT == 0
    _roll_up(samples, is_slot, is_slot if evaluated is None else is_slot & evaluated)
    if own_time is not None:
        _leave_out(samples, own_time)
    short, long = (tuple(filter(_reads_the_ledger, group.rules)) for group in (every_minute, every_slot))
    for rule in short:
        if isinstance(rule, RecordingRule):
            samples.series[rule.record] = samples.one(rule.expr)
    for rule in long:
        if isinstance(rule, RecordingRule):
            found = _of_calendar(rule.record, samples, slo, own_time)
            samples.series[rule.record] = np.where(is_slot, samples.one(rule.expr) if found is None else found, np.nan)
    return samples, (*short, *long)


def _leave_out(samples: Samples, own_time: OwnTime) -> None:
    """What doesn't count is in no sum; what time it is, and when windows begin, is known."""
    samples.raw = Clock(own_time.seconds)
    samples.series |= own_time.windows()
    samples.series[series.EXCLUDED] = own_time.is_excluded().astype(np.float64)
    for name, entry in _ROLL_UPS.items():
        samples.series[name] = own_time.counting(samples.series[name], FIVE_MINUTES)
        samples.series[entry] = own_time.counting(samples.series[entry], MINUTE)


_SUMS_OF_WINDOW = {f"sereno:{what}:window": f"sereno:{what}:sum5m" for what in ("events", "bad_events")}


def _of_calendar(name: str, samples: Samples, slo: ServiceLevelObjective, own_time: OwnTime | None) -> Array | None:
    """What a calendar window's rules record by arithmetic on the clock; None for what is interpreted."""
    if slo.calendar is None or own_time is None:
        return None
    if name in _SUMS_OF_WINDOW:
        return own_time.since_window_began(samples.series[_SUMS_OF_WINDOW[name]])
    return samples.series[name] if name in (series.WINDOW_START, series.WINDOW_END) else None


def _roll_up(samples: Samples, is_slot: Firing, is_marked: Firing) -> None:
    """docs/ledger.md, "From entries to figures": a roll-up sums what was entered until a minute before it.

    Five minutes without an entry had no events; while Prometheus stood still there is no roll-up. (It sums the minutes
    just before a stop in the first roll-up after it; here they stay where they happened.)
    """
    samples.series[series.ROLL_UP_MARK] = np.where(is_marked, 1.0, np.nan)
    for rolled, entry in _ROLL_UPS.items():
        sums = over("sum", shifted(samples.series[entry], 1), _SLOT)
        samples.series[rolled] = np.where(is_slot, sums, np.nan)
    events, bad_events = (samples.series[rolled] for rolled in _ROLL_UPS)
    events[is_marked & np.isnan(events)] = 0
    bad_events[is_marked & np.isnan(bad_events) & (events == 0)] = 0


def _reads_the_ledger(rule: RecordingRule | AlertingRule) -> bool:
    return rule.alert != NO_DATA if isinstance(rule, AlertingRule) else rule.record not in _OF_THE_WORLD


def _alert(rule: AlertingRule, value: Array) -> Alert:
    firing = held(~np.isnan(value), _count(rule.for_), _count(rule.keep_firing_for))
    labels = rule.labels
    return Alert(rule.alert, labels["severity"], firing, value, labels.get("burn"), labels.get("long_window"))


def _count(duration: Duration | None) -> int:
    return 0 if duration is None else round(duration / MINUTE)


def held(active: Firing, wait: int, kept: int) -> Firing:
    """Active for `wait` steps before it fires, and firing for `kept` steps after it was last active."""
    places = np.arange(len(active))
    last_idle = np.maximum.accumulate(np.where(active, -1, places))
    firing = active & (places - last_idle > wait)
    if not kept:
        return firing
    last_firing = np.maximum.accumulate(np.where(firing, places, -1))
    # Only what has fired is kept: an alert that becomes active again while it is kept goes on.
    return firing | ((last_firing >= 0) & (places - last_firing <= kept))
