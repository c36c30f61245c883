"""How all SLOs stand now, by three questions for everybody: what the overview, services and the wall show."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sereno_backends.prometheus import Sample
from sereno_slo.duration import Duration
from sereno_slo.model import AlertSeverity, Objective
from sereno_slo.plan import series
from sereno_slo.plan.series import patient
from sereno_slo.promql import Expr, Matcher, MatchOp, Selector
from sereno_slo.render.queries import far_away

from sereno_portal.catalogue import Catalogue, objectives_of
from sereno_portal.gateway import MOST_SERIES, Answer, Gateway, NotAnswered

_DAY = Duration.parse("1d")
_DAY_SECONDS = 86_400.0
_SERIES_OF_AN_SLO = 8
"""Its four figures, and its alerts with their states."""
ERROR_RATIO_1H, BAD_EVENTS_1H = "sereno:error_ratio:1h", "sereno:bad_events:1h"
# Of servers that record everything twice the worse value counts.
_WORST = {series.BUDGET_REMAINING: min, ERROR_RATIO_1H: max, BAD_EVENTS_1H: max, series.COVERAGE: min}
_STATE = "ALERTS_FOR_STATE"

Key = tuple[str, str]
"""Service and SLO."""


@dataclass(frozen=True, slots=True)
class Told:
    """An alert of an SLO that fires: a page or a ticket."""

    alert: str
    is_page: bool
    since: datetime | None
    """When its condition began to hold; None where the server doesn't tell."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One SLO or journey now. None is what the server doesn't know; it is never a zero."""

    service: str
    slo: str
    owner: str
    objective_percent: float
    budget_remaining_ratio: float | None
    """1 untouched, below 0 overspent."""
    changed_since_yesterday_ratio: float | None
    """The budget now less that of 24 hours ago."""
    burn_rate_1h: float | None
    """Multiples of what the objective allows."""
    gone_in_seconds: float | None
    """When the budget is spent if the last hour goes on; 0: it is; None: not in sight, or not known."""
    coverage_ratio: float | None
    told: tuple[Told, ...]
    """Pages first."""
    is_in_trouble: bool
    """It is overspent, an alert fires, or the last hour's pace spends the rest within a day.

    Of a pace only where the hour had as many bad events as its alerts want: one failure of five calls tells nothing.
    """

    @property
    def is_paged(self) -> bool:
        """Whether somebody is woken."""
        return any(each.is_page for each in self.told)


@dataclass(frozen=True, slots=True)
class Standings:
    """All SLOs of the specs, the most urgent first."""

    each: tuple[Standing, ...]
    at: datetime
    """When Prometheus was asked."""
    trouble: str
    """Why it isn't younger, or lacks something; empty where all is well."""

    @property
    def in_trouble(self) -> tuple[Standing, ...]:
        """Those that somebody has to look at."""
        return tuple(standing for standing in self.each if standing.is_in_trouble)

    @property
    def unknown_count(self) -> int:
        """How many have no recorded budget."""
        return sum(standing.budget_remaining_ratio is None for standing in self.each)

    def of(self, service: str, slo: str) -> Standing | None:
        """The standing of that name."""
        return next((each for each in self.each if (each.service, each.slo) == (service, slo)), None)


def figures_question() -> Expr:
    """Remaining budget, error ratio and bad events of the last hour, and coverage of every SLO."""
    return patient(Selector("", (Matcher("__name__", MatchOp.REGEX, "|".join(_WORST)),)))


def yesterday_question() -> Expr:
    """Every budget as it was 24 hours ago."""
    selector = Selector(series.BUDGET_REMAINING).ago(_DAY)
    return patient(selector)


def alerts_question() -> Expr:
    """Every alert of an SLO that is pending or fires, and since when."""
    names = Matcher("__name__", MatchOp.REGEX, f"ALERTS|{_STATE}")
    return Selector("", (names, Matcher("alertname", MatchOp.REGEX, "SLO.+")))


class StandingsBook:
    """The standings of one portal; safe for several threads.

    They are put together once for each set of answers: a crowd that looks within ten seconds reads the same value.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._last: tuple[tuple[object, ...], Standings] | None = None

    def current(self, catalogue: Catalogue) -> Standings:
        """How the SLOs of the catalogue stand. Raises `NotAnswered` where not even old figures are known."""
        known = sum(1 for service in catalogue.services for _ in objectives_of(service))
        most = max(MOST_SERIES, known * _SERIES_OF_AN_SLO)
        figures = self._gateway.instant(figures_question(), most_series=most)
        yesterday, alerts = (self._lenient(question(), most) for question in (yesterday_question, alerts_question))
        troubles = dict.fromkeys(each.trouble for each in (figures, yesterday, alerts) if each.trouble)
        sources = (catalogue, figures.value, yesterday.value, alerts.value, *troubles)
        last = self._last
        if last is not None and len(last[0]) == len(sources) and all(map(_is_same, last[0], sources)):
            return last[1]
        found = _standings(catalogue, figures.value, yesterday.value, alerts.value)
        standings = Standings(tuple(sorted(found, key=_urgency)), figures.at, "; ".join(troubles))
        self._last = (sources, standings)
        return standings

    def _lenient(self, question: Expr, most_series: int) -> Answer[tuple[Sample, ...]]:
        """Budgets are shown also where the rest can't be told."""
        try:
            return self._gateway.instant(question, most_series=most_series)
        except NotAnswered as error:
            return Answer((), datetime.now(UTC), str(error))


def _is_same(one: object, other: object) -> bool:
    return one is other or (isinstance(one, str) and one == other)


def _standings(
    catalogue: Catalogue, figures: Iterable[Sample], yesterday: Iterable[Sample], alerts: Sequence[Sample]
) -> Iterator[Standing]:
    now = _by_name(figures)
    before = _by_name(yesterday, series.BUDGET_REMAINING)[series.BUDGET_REMAINING]
    told = _told(alerts)
    for service in catalogue.services:
        for slo in objectives_of(service):
            key = (slo.service, slo.name)
            figures_of = {name: values.get(key) for name, values in now.items()}
            yield _standing(slo, figures_of, before.get(key), told.get(key, ()))


def _standing(
    slo: Objective, figures: Mapping[str, float | None], before: float | None, told: tuple[Told, ...]
) -> Standing:
    remaining, error_ratio = figures[series.BUDGET_REMAINING], figures[ERROR_RATIO_1H]
    burn_rate = None if error_ratio is None else error_ratio / slo.error_budget_ratio
    gone = gone_in_seconds(slo, remaining, burn_rate)
    changed = None if remaining is None or before is None else remaining - before
    is_evident = (figures[BAD_EVENTS_1H] or 0) >= slo.alerting.min_bad_events
    is_in_trouble = bool(told) or gone == 0 or (is_evident and gone is not None and gone < _DAY_SECONDS)
    return Standing(
        slo.service,
        slo.name,
        slo.owner,
        slo.objective_percent,
        remaining,
        changed,
        burn_rate,
        gone,
        figures[series.COVERAGE],
        told,
        is_in_trouble,
    )


def gone_in_seconds(slo: Objective, remaining: float | None, burn_rate: float | None) -> float | None:
    """When the budget is spent at this pace: 0 where it is, None where that isn't in sight or isn't known."""
    if remaining is None:
        return None
    if remaining <= 0:
        return 0.0
    if not burn_rate or burn_rate < 0:
        return None
    seconds = remaining * slo.window.seconds / burn_rate
    return seconds if seconds < far_away(slo).seconds else None


def _urgency(standing: Standing) -> tuple[bool, float, float, str, str]:
    gone, remaining = standing.gone_in_seconds, standing.budget_remaining_ratio
    return (
        not standing.is_in_trouble,
        float("inf") if gone is None else gone,
        float("inf") if remaining is None else remaining,
        standing.service,
        standing.slo,
    )


def _by_name(samples: Iterable[Sample], only: str = "") -> dict[str, dict[Key, float]]:
    """Values by the series' name; what a function has taken the name of is `only`."""
    found: dict[str, dict[Key, float]] = {name: {} for name in _WORST}
    for sample in samples:
        labels = sample.labels
        name = labels.get("__name__", only)
        if name in found and sample.is_finite:
            key, values = (labels.get("service", ""), labels.get("slo", "")), found[name]
            values[key] = _WORST[name](values[key], sample.value) if key in values else sample.value
    return found


def _told(samples: Sequence[Sample]) -> dict[Key, tuple[Told, ...]]:
    """What fires for people, by SLO: shadows are told to nobody, and what is pending isn't told yet."""
    since = {_identity(each.labels): each.as_moment for each in samples if each.labels.get("__name__") == _STATE}
    severities = {severity.value for severity in AlertSeverity}
    found: dict[Key, dict[tuple[str, bool], Told]] = {}
    for sample in samples:
        labels = sample.labels
        if labels.get("alertstate") != "firing" or labels.get("severity") not in severities:
            continue
        is_page = labels["severity"] == AlertSeverity.CRITICAL
        alert = Told(labels.get("alertname", ""), is_page, since.get(_identity(labels)))
        of_slo = found.setdefault((labels.get("service", ""), labels.get("slo", "")), {})
        known = of_slo.get((alert.alert, is_page))
        # The tiers of one alert are one line; the one that began first says since when.
        if known is None or _began(alert) < _began(known):
            of_slo[alert.alert, is_page] = alert
    return {
        key: tuple(sorted(alerts.values(), key=lambda each: (not each.is_page, _began(each), each.alert)))
        for key, alerts in found.items()
    }


def _began(alert: Told) -> float:
    return float("inf") if alert.since is None else alert.since.timestamp()


def _identity(labels: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset(item for item in labels.items() if item[0] not in {"__name__", "alertstate"})
