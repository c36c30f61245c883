"""All SLOs beside each other: what is left, how fast it goes, who is told; a few questions however many there are."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sereno_slo.duration import Duration
from sereno_slo.explain.account import SeveralLedgers
from sereno_slo.explain.counted import window_drift
from sereno_slo.explain.pace import FiringAlert
from sereno_slo.history import Reader
from sereno_slo.model import AlertSeverity, Objective
from sereno_slo.plan import series
from sereno_slo.plan.burn import ALERT
from sereno_slo.plan.series import patient
from sereno_slo.promql import Expr, Matcher, MatchOp, Selector

BURN_WINDOWS = tuple(map(Duration.parse, ("1h", "6h", "3d")))
"""What every SLO records, whatever its policy."""

_MOST_NAMED_SERVICES = 50
_TOLERANCE = 1e-6

Key = tuple[str, str]
"""Service and SLO."""


@dataclass(frozen=True, slots=True)
class BurnRate:
    """How fast the budget burns, in multiples of what the objective allows; None where nothing is recorded."""

    window: Duration
    burn_rate: float | None


@dataclass(frozen=True, slots=True)
class Standing:
    """One SLO now, as its rules recorded it. None is what the server doesn't know."""

    slo: Objective
    remaining_ratio: float | None
    burn_rates: tuple[BurnRate, ...]
    exhausted_in_seconds: float | None
    """At the pace of the last day; 0 where the budget is gone, None where none failed, or nobody knows."""
    coverage_ratio: float | None
    firing: tuple[FiringAlert, ...]
    """Alerts on the budget of the whole SLO, shadows left out."""
    notes: tuple[str, ...]

    @property
    def is_known(self) -> bool:
        """Whether the server has a remaining budget."""
        return self.remaining_ratio is not None

    @property
    def pages(self) -> bool:
        """Whether an alert on the budget pages somebody now."""
        return any(alert.severity == AlertSeverity.CRITICAL for alert in self.firing)


def standings(reader: Reader, slos: Sequence[Objective], at: datetime) -> tuple[Standing, ...]:
    """The standings of the SLOs, the most urgent first; every question may raise a `PrometheusError`.

    Raises:
        SeveralLedgers: the server has an SLO's ledger more than once.
    """
    chosen = _of_services({slo.service for slo in slos})

    def figures(name: str) -> Mapping[Key, float]:
        return _values(reader, patient(Selector(name, chosen)), at)

    remaining, coverage = figures(series.BUDGET_REMAINING), figures(series.COVERAGE)
    exhausted, objectives = figures(series.EXHAUSTED_IN), figures(series.OBJECTIVE)
    lengths = figures(series.WINDOW)
    error_ratios = {window: figures(f"sereno:error_ratio:{window}") for window in BURN_WINDOWS}
    firing = _firing(reader, chosen, at)
    found = []
    for slo in slos:
        key = (slo.service, slo.name)
        found.append(
            Standing(
                slo,
                remaining.get(key),
                tuple(BurnRate(w, _burn_rate(slo, error_ratios[w].get(key))) for w in BURN_WINDOWS),
                exhausted.get(key),
                coverage.get(key),
                tuple(firing.get(key, ())),
                tuple(_drift(slo, objectives.get(key), lengths.get(key), at)),
            )
        )
    return tuple(sorted(found, key=_urgency))


def _urgency(standing: Standing) -> tuple[int, float, float, str, str]:
    """Who burns, pages before tickets; then who isn't known; then by what is left, and how soon it is gone."""
    rank = 0 if standing.pages else 1 if standing.firing else 2 if not standing.is_known else 3
    remaining = -math.inf if standing.remaining_ratio is None else standing.remaining_ratio
    gone = math.inf if standing.exhausted_in_seconds is None else standing.exhausted_in_seconds
    return (rank, remaining, gone, standing.slo.service, standing.slo.name)


def _of_services(services: set[str]) -> tuple[Matcher, ...]:
    """Names are letters, digits and hyphens: nothing to escape."""
    if len(services) > _MOST_NAMED_SERVICES:
        return ()
    return (Matcher("service", MatchOp.REGEX, "|".join(sorted(services))),)


def _values(reader: Reader, expr: Expr, at: datetime) -> Mapping[Key, float]:
    values: dict[Key, float] = {}
    for sample in reader.instant(expr, at):
        key = (sample.labels.get("service", ""), sample.labels.get("slo", ""))
        if key in values:
            others = ", ".join(sorted(set(sample.labels) - {"__name__", "service", "slo"})) or "nothing"
            raise SeveralLedgers(
                f"{reader.client.name} has {'/'.join(key)} more than once, with the labels {others}: ask the very "
                "Prometheus that evaluates the rules, not one that gathers several"
            )
        if sample.is_finite:
            values[key] = sample.value
    return values


def _firing(reader: Reader, chosen: tuple[Matcher, ...], at: datetime) -> Mapping[Key, list[FiringAlert]]:
    selector = Selector("ALERTS", chosen).where(alertname=ALERT, alertstate="firing", grouped_by="")
    told = selector.where(Matcher("severity", MatchOp.REGEX, "|".join(AlertSeverity)))
    firing: dict[Key, list[FiringAlert]] = {}
    for sample in reader.instant(told, at):
        of_slo = firing.setdefault((sample.labels.get("service", ""), sample.labels.get("slo", "")), [])
        of_slo.append(FiringAlert(*(sample.labels.get(label, "") for label in ("burn", "severity", "long_window"))))
    return {key: sorted(alerts, key=lambda a: (a.severity, a.burn, a.long_window)) for key, alerts in firing.items()}


def _burn_rate(slo: Objective, error_ratio: float | None) -> float | None:
    return None if error_ratio is None else error_ratio / slo.error_budget_ratio


def _drift(slo: Objective, objective: float | None, window_seconds: float | None, at: datetime) -> Iterator[str]:
    if objective is not None and abs(objective - slo.objective_ratio) > slo.error_budget_ratio * _TOLERANCE:
        promised = f"{slo.objective_percent:.10g} %"
        yield f"the server's rules have an objective of {100 * objective:.10g} %, the spec {promised}"
    yield from window_drift(slo, window_seconds, at)
