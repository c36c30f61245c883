"""When the alerts of one SLO fire, from its entries and the rules that the compiler plans for it."""

from dataclasses import dataclass

import numpy as np
from sereno_slo.duration import MINUTE, Duration
from sereno_slo.model import Service, ServiceLevelObjective, Settings
from sereno_slo.plan import AlertingRule, RecordingRule, plan_service, series

from benchmarks.alert_quality.arrays import Array, Firing
from benchmarks.alert_quality.interpreter import Samples, over, shifted

_SLOT = 5
_RAW_ALERTS = "SLONoData"  # judged by targets, of which this world has none
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
    """One alerting rule, and the minutes in which it fires."""

    name: str
    severity: str
    firing: Firing


def alerts_of(slo: ServiceLevelObjective, settings: Settings, events: Array, bad_events: Array) -> tuple[Alert, ...]:
    """Every alert of the SLO over the minutes of these entries."""
    samples, rules = recorded(slo, settings, events, bad_events)
    return tuple(_alert(rule, samples) for rule in rules if isinstance(rule, AlertingRule))


def recorded(
    slo: ServiceLevelObjective, settings: Settings, events: Array, bad_events: Array
) -> tuple[Samples, tuple[RecordingRule | AlertingRule, ...]]:
    """What the SLO's rules record of these entries, and all rules that read only what they record."""
    service = Service(slo.service, slo.owner, slo.tier, (slo,), "benchmark")
    every_minute, every_slot = plan_service(service, settings).groups
    samples = Samples(len(events), dict(zip(_ENTRIES, (events, bad_events), strict=True)))
    is_slot = np.arange(len(events)) % _SLOT == 0
    samples.series[series.ROLL_UP_MARK] = np.where(is_slot, 1.0, np.nan)
    for rolled, entry in _ROLL_UPS.items():
        # docs/ledger.md, "From entries to figures": a roll-up sums what was entered until a minute before it.
        sums = over("sum", shifted(samples.series[entry], 1), _SLOT)
        samples.series[rolled] = np.where(is_slot, sums, np.nan)
    short, long = (tuple(filter(_reads_the_ledger, group.rules)) for group in (every_minute, every_slot))
    for rule in short:
        if isinstance(rule, RecordingRule):
            samples.series[rule.record] = samples.one(rule.expr)
    for rule in long:
        if isinstance(rule, RecordingRule):
            samples.series[rule.record] = np.where(is_slot, samples.one(rule.expr), np.nan)
    return samples, (*short, *long)


def _reads_the_ledger(rule: RecordingRule | AlertingRule) -> bool:
    return rule.alert != _RAW_ALERTS if isinstance(rule, AlertingRule) else rule.record not in _OF_THE_WORLD


def _alert(rule: AlertingRule, samples: Samples) -> Alert:
    active = ~np.isnan(samples.one(rule.expr))
    firing = held(active, _count(rule.for_), _count(rule.keep_firing_for))
    return Alert(rule.alert, rule.labels["severity"], firing)


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
