"""When the alerts of one SLO fire, from its entries and the rules that the compiler plans for it."""

from dataclasses import dataclass, replace

import numpy as np

from sereno_slo.backtest.arrays import Array, Firing, over, shifted
from sereno_slo.backtest.entries import Entries
from sereno_slo.backtest.interpreter import Samples
from sereno_slo.duration import MINUTE, Duration
from sereno_slo.model import Service, ServiceLevelObjective, Settings
from sereno_slo.plan import AlertingRule, RecordingRule, plan_service, series
from sereno_slo.plan.no_data import ALERT as NO_DATA
from sereno_slo.plan.no_data import no_data_alerts

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
    # Where budgets leave minutes out (exclusions), a mask belongs on these two arrays, before anything is summed.
    samples, rules = recorded(own, settings, entries.events, entries.bad_events, entries.evaluated)
    values = [(rule, samples.one(rule.expr)) for rule in rules if isinstance(rule, AlertingRule)]
    values += zip(no_data_alerts(own, settings), entries.no_data, strict=True)
    # Nobody evaluates anything while Prometheus stands still.
    alerts = (_alert(rule, np.where(entries.evaluated, value, np.nan)) for rule, value in values)
    return Replayed(samples, tuple(alerts))


def recorded(
    slo: ServiceLevelObjective,
    settings: Settings,
    events: Array,
    bad_events: Array,
    evaluated: Firing | None = None,
) -> tuple[Samples, tuple[RecordingRule | AlertingRule, ...]]:
    """What the SLO's rules record of these entries, and all rules that read only what they record.

    `evaluated` tells in which minutes there was a Prometheus to evaluate them; None: always.
    """
    service = Service(slo.service, slo.owner, slo.tier, (slo,), "benchmark")
    every_minute, every_slot = plan_service(service, settings).groups
    samples = Samples(len(events), dict(zip(_ENTRIES, (events, bad_events), strict=True)))
    is_slot = np.arange(len(events)) % _SLOT == 0
    _roll_up(samples, is_slot, is_slot if evaluated is None else is_slot & evaluated)
    short, long = (tuple(filter(_reads_the_ledger, group.rules)) for group in (every_minute, every_slot))
    for rule in short:
        if isinstance(rule, RecordingRule):
            samples.series[rule.record] = samples.one(rule.expr)
    for rule in long:
        if isinstance(rule, RecordingRule):
            samples.series[rule.record] = np.where(is_slot, samples.one(rule.expr), np.nan)
    return samples, (*short, *long)


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
