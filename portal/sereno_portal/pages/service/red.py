"""Rate, errors, duration: what a service does now, from the selectors of its own indicators."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sereno_slo.duration import Duration
from sereno_slo.model import CountedIndicator, Service, ServiceLevelObjective, Settings
from sereno_slo.plan.spenders import breakdown_labels
from sereno_slo.promql import Expr
from sereno_slo.render import queries

from sereno_portal.asking import figures_of, samples_of
from sereno_portal.gateway import Gateway

QUANTILES = {"P50": 0.5, "P95": 0.95, "P99": 0.99}
_NOW = Duration.parse("5m")
WORST = 10
_MOST_SLOS = 20
"""Of one service; more are on their own pages."""
CountedSlo: TypeAlias = tuple[ServiceLevelObjective, CountedIndicator]


@dataclass(frozen=True, slots=True)
class RedNow:
    """One SLO's events of the last five minutes; None where there are none, or the indicator doesn't tell."""

    slo: str
    events_per_minute: float | None
    failed_ratio: float | None
    p50_seconds: float | None
    p95_seconds: float | None
    p99_seconds: float | None


@dataclass(frozen=True, slots=True)
class Failing:
    """A group of events that fails: route, method and status of HTTP calls, otherwise the target."""

    slo: str
    labels: Mapping[str, str]
    bad_per_minute: float


def counted_slos(service: Service) -> tuple[CountedSlo, ...]:
    """Those that the service counts itself."""
    found = ((slo, slo.indicator) for slo in service.slos[:_MOST_SLOS])
    return tuple((slo, indicator) for slo, indicator in found if isinstance(indicator, CountedIndicator))


def now(gateway: Gateway, service: Service) -> tuple[tuple[RedNow, ...], str]:
    """The figures of the last five minutes, by SLO, and why they aren't younger. Raises `NotAnswered`."""
    counted = counted_slos(service)
    if not counted:
        return (), ""
    answer = figures_of(gateway, {name: expr for each in counted for name, expr in _figures(*each)})
    found = answer.value
    figures = tuple(
        RedNow(
            slo.name,
            found.get(f"{slo.name} rate"),
            found.get(f"{slo.name} failed"),
            *(found.get(f"{slo.name} {name}") for name in QUANTILES),
        )
        for slo, _ in counted
    )
    return figures, answer.trouble


def _figures(slo: ServiceLevelObjective, indicator: CountedIndicator) -> Iterator[tuple[str, Expr]]:
    yield f"{slo.name} rate", queries.events_counted("rate", indicator, _NOW) * 60
    yield f"{slo.name} failed", queries.bad_share(indicator, _NOW)
    if isinstance(indicator, queries.AnyLatency):
        for name, ratio in QUANTILES.items():
            yield f"{slo.name} {name}", queries.quantile(indicator, ratio, _NOW)


def failing(gateway: Gateway, service: Service, settings: Settings) -> tuple[tuple[Failing, ...], str]:
    """What fails now, the worst first, and why that isn't younger. Raises `NotAnswered`."""
    exprs = {
        slo.name: queries.worst(WORST, indicator, "rate", _NOW, breakdown_labels(indicator, settings)) * 60
        for slo, indicator in counted_slos(service)
    }
    if not exprs:
        return (), ""
    answer = samples_of(gateway, exprs)
    found = [Failing(slo, sample.labels, sample.value) for slo, samples in answer.value.items() for sample in samples]
    return tuple(sorted(found, key=lambda each: -each.bad_per_minute)[: 2 * WORST]), answer.trouble
