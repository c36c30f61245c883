"""Who alerts: Sereno in its three modes by its own compiled rules, and the peers' default policies.

The peers' conditions are written from what they document (sloth.dev, "Alerts", with the SRE Workbook's windows; pyrra's
README and its examples of rules, for four weeks): ratios of rates over both windows, on evaluations every 30 seconds.
Rates are exact here, as no counter is ever reset or born late, which only flatters the peers (benchmarks/accuracy has
what that costs them).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from sereno_slo import Settings, SourceFile, validate_specs
from sereno_slo.backtest.arrays import Firing, trailing_sums
from sereno_slo.backtest.firing import alerts_of, held
from sereno_slo.duration import Duration
from sereno_slo.model import AlertingMode, AlertSeverity, ServiceLevelObjective

from benchmarks.alert_quality.world import SLOTS_A_MINUTE, Counts, Rates, World, minute_entries

Policy = Callable[[World], "Told"]


@dataclass(frozen=True, slots=True)
class Told:
    """In which slots a page fires, and in which a ticket."""

    pages: Firing
    tickets: Firing


def sereno(mode: AlertingMode, **changes: object) -> Policy:
    """Sereno's rules in one mode, with the compiler's defaults but for `changes` of `Alerting`."""

    def told(world: World) -> Told:
        return _told_by_sereno(world, objective(world.scenario.objective_percent, mode, **changes))

    return told


def objective(percent: float, mode: AlertingMode, **changes: object) -> ServiceLevelObjective:
    """An objective of a critical service, as the compiler reads a spec that says nothing else about alerting."""
    ((slo,),) = (service.slos for service in validate_specs([_SPEC], Settings()).services)
    alerting = replace(slo.alerting, mode=mode, **changes)  # type: ignore[arg-type] # of the caller's choice
    return replace(slo, objective_percent=percent, alerting=alerting)


_SPEC = SourceFile(
    "service.slo.yaml",
    """
version: sereno/v1
service: service
owner: team
tier: critical
slos:
  - name: availability
    objective: 99.9
    indicator: {ratio: {metric: requests_total, match: 'job="service"', bad: 'code=~"5.."'}}
""",
)


def _told_by_sereno(world: World, slo: ServiceLevelObjective) -> Told:
    alerts = alerts_of(slo, Settings(), *minute_entries(world))
    by_severity = {
        severity: np.repeat(_any_of(alert.firing for alert in alerts if alert.severity == severity), SLOTS_A_MINUTE)
        for severity in AlertSeverity
    }
    return Told(by_severity[AlertSeverity.CRITICAL], by_severity[AlertSeverity.WARNING])


def _any_of(firing: Iterable[Firing]) -> Firing:
    result: Firing = np.logical_or.reduce(list(firing))
    return result


@dataclass(frozen=True, slots=True)
class _Pair:
    """A burn rate over a long and a short window, in minutes, and for how long before it is told."""

    factor: float
    long: int
    short: int
    wait: int = 0


_HOUR, _DAY = 60, 1440
_SLOTH = (
    (_Pair(14.4, _HOUR, 5), _Pair(6, 6 * _HOUR, 30)),
    (_Pair(3, _DAY, 2 * _HOUR), _Pair(1, 3 * _DAY, 6 * _HOUR)),
)
_PYRRA = (
    (_Pair(14, _HOUR, 5, 2), _Pair(7, 6 * _HOUR, 30, 15)),
    (_Pair(2, _DAY, 2 * _HOUR, 60), _Pair(1, 4 * _DAY, 6 * _HOUR, 180)),
)


def _peer(pages: Iterable[_Pair], tickets: Iterable[_Pair]) -> Policy:
    def told(world: World) -> Told:
        return Told(*(_any_of(_burns(world, pair) for pair in pairs) for pairs in (pages, tickets)))

    return told


def _burns(world: World, pair: _Pair) -> Firing:
    threshold = pair.factor * world.scenario.error_budget_ratio
    active = _error_ratio(world, pair.long) > threshold
    active &= _error_ratio(world, pair.short) > threshold
    return held(active, pair.wait * SLOTS_A_MINUTE, 0)


def _error_ratio(world: World, minutes: int) -> Rates:
    """NaN where nothing happened, which is above no threshold; what was scraped is half a minute old."""
    bad_events, events = (_summed(counts, minutes * SLOTS_A_MINUTE) for counts in (world.bad_events, world.events))
    ratios: Rates = np.divide(bad_events, events, out=np.full(len(events), np.nan), where=events > 0)
    return ratios


def _summed(counts: Counts, slots: int) -> Rates:
    seen = np.concatenate([np.zeros(SLOTS_A_MINUTE, dtype=np.int64), counts])[: len(counts)]
    return trailing_sums(seen.astype(float), slots)


POLICIES: Mapping[str, Policy] = {
    "sereno, budget": sereno(AlertingMode.BUDGET),
    "sereno, ratio": sereno(AlertingMode.RATIO),
    "sereno, both": sereno(AlertingMode.BOTH),
    "sereno, both, kept 15 m": sereno(AlertingMode.BOTH, keep_firing_for=Duration.parse("15m")),
    "sloth": _peer(*_SLOTH),
    "pyrra": _peer(*_PYRRA),
}
