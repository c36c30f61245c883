"""Who spent an SLO's budget, when, and when it comes back: `sereno explain` as a page."""

from dataclasses import dataclass
from datetime import datetime

from sereno_slo.explain import Explanation, Stretch
from sereno_slo.explain.spenders import Breakdown
from sereno_slo.model import ServiceLevelObjective

from sereno_portal.portal import Portal

_MOST_HOURS = 10
_MOST_HOLES = 20


@dataclass(frozen=True, slots=True)
class Spent:
    """An hour or a day of the window."""

    begin: datetime
    events: float
    bad_events: float
    budget_share: float


@dataclass(frozen=True, slots=True)
class SpentBy:
    """One value of a label, or one group."""

    value: str
    bad_events: float
    share: float


@dataclass(frozen=True, slots=True)
class Breakdowns:
    """Bad events by the values of labels."""

    labels: tuple[str, ...]
    is_whole_window: bool
    """Counted by the groups' own ledgers; else by raw series in the hours that spent most."""
    each: tuple[SpentBy, ...]
    others: float


@dataclass(frozen=True, slots=True)
class Hole:
    """Minutes that nobody saw."""

    begin: datetime
    end: datetime
    missing_minutes: float
    cause: str


@dataclass(frozen=True, slots=True)
class Ahead:
    """The budget at a moment to come if nothing more fails."""

    at: datetime
    after: str
    remaining_ratio: float


@dataclass(frozen=True, slots=True)
class Explained:
    """Where an SLO's figures come from. Times are UTC."""

    service: str
    slo: str
    at: datetime
    trouble: str
    nothing: str
    """Why there is nothing to explain; empty where there is."""
    window_start: datetime | None = None
    window_end: datetime | None = None
    begun_at: datetime | None = None
    events: float = 0
    bad_events: float = 0
    budget_events: float = 0
    remaining_ratio: float = 1
    days: tuple[Spent, ...] = ()
    hours: tuple[Spent, ...] = ()
    """Those that spent most, in order of what they spent."""
    breakdowns: tuple[Breakdowns, ...] = ()
    coverage_ratio: float | None = None
    holes: tuple[Hole, ...] = ()
    ahead: tuple[Ahead, ...] = ()
    whole_again_at: datetime | None = None
    notes: tuple[str, ...] = ()

    @property
    def most_of_a_day(self) -> float:
        """The largest share of a day: how long its bar is."""
        return max((day.budget_share for day in self.days), default=0.0)


def explained(portal: Portal, slo: ServiceLevelObjective) -> Explained:
    """The budget's account. Raises `NotAnswered`."""
    answer = portal.explainer.explained(slo, portal.catalogue.settings)
    if not isinstance(answer.value, Explanation):
        return Explained(slo.service, slo.name, answer.at, answer.trouble, str(answer.value))
    found = answer.value
    worst = sorted((hour for hour in found.hours if hour.bad_events > 0), key=lambda hour: -hour.bad_events)
    return Explained(
        slo.service,
        slo.name,
        found.asked_at,
        answer.trouble,
        "",
        found.window_start,
        found.window_end,
        found.begun_at,
        found.budget.events,
        found.budget.bad_events,
        found.budget.budget_events,
        found.budget.remaining_ratio,
        tuple(map(_spent, found.days)),
        tuple(map(_spent, worst[:_MOST_HOURS])),
        tuple(map(_breakdown, found.spenders.breakdowns)),
        found.coverage.ratio,
        tuple(
            Hole(hole.begin, hole.end, hole.missing_minutes, hole.cause.value)
            for hole in found.coverage.holes[-_MOST_HOLES:]
        ),
        tuple(Ahead(each.at, str(each.after), each.remaining_ratio) for each in found.rolling_out.forecasts),
        found.rolling_out.whole_again_at,
        found.notes,
    )


def _spent(stretch: Stretch) -> Spent:
    return Spent(stretch.begin, stretch.events, stretch.bad_events, stretch.budget_share)


def _breakdown(found: Breakdown) -> Breakdowns:
    spenders = tuple(SpentBy(each.value, each.bad_events, each.share) for each in found.spenders)
    return Breakdowns(found.labels, found.is_whole_window, spenders, found.others)
