"""Everything that an SLO's page says, as a value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from sereno_slo.duration import Duration
from sereno_slo.model import (
    AlertSeverity,
    BadEventsRatio,
    GoodEventsRatio,
    Indicator,
    Journey,
    Latency,
    NativeLatency,
    Objective,
    Probe,
    ServiceLevelObjective,
    SloReference,
    Threshold,
)
from sereno_slo.plan.dependencies import ledger_of
from sereno_slo.plan.series import Ledger
from sereno_slo.promql import Expr
from sereno_slo.render import queries
from sereno_slo.render.words import bad_event_in_words, objective_in_words, own_window_in_words

from sereno_portal.asking import Figures, figures_of
from sereno_portal.gateway import NotAnswered
from sereno_portal.happenings import Stretch, excluded_before, excluded_next
from sereno_portal.open_incidents import OpenIncidents
from sereno_portal.pages.slo.charts import Picture, feasible_tiers
from sereno_portal.pages.slo.groups import Groups, groups_of
from sereno_portal.portal import Portal
from sereno_portal.standings import Standing, Standings

_THREE_DAYS = Duration.parse("3d")
_LONGEST_LOOK_BACK = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Query:
    """A selector of the indicator, to be copied."""

    what: str
    promql: str


@dataclass(frozen=True, slots=True)
class TierNow:
    """A line of the alerting policy, and where the burn rates stand."""

    is_page: bool
    budget_spent_ratio: float
    long: str
    short: str
    alerts_at: float
    burn_rate_long: float | None
    burn_rate_short: float | None


@dataclass(frozen=True, slots=True)
class Excluded:
    """Time that doesn't count, and who decided so."""

    in_words: str
    reason: str
    author: str
    before: tuple[Stretch, ...]
    """The latest of the window, at most 30 days; the last one first."""
    next: Stretch | None
    """Of the coming two weeks."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The window's figures; None is what the server doesn't know."""

    service_level_ratio: float | None
    events: float | None
    bad_events: float | None
    bad_events_left: float | None


@dataclass(frozen=True, slots=True)
class Related:
    """An SLO that this one needs."""

    service: str
    slo: str
    standing: Standing | None
    """None where no spec here has it."""
    failed_ratio_3d: float | None
    """The part of its events that were bad in the last three days: who lost most."""


@dataclass(frozen=True, slots=True)
class SloView:
    """An SLO or a journey."""

    standing: Standing
    at: datetime
    trouble: str
    is_journey: bool
    description: str
    impact: str
    objective_in_words: str
    window_in_words: str
    counted: Counted
    bad_event_in_words: str
    """Empty of journeys."""
    queries: tuple[Query, ...]
    alerting_mode: str
    min_bad_events: int
    is_shadow: bool
    tiers: tuple[TierNow, ...]
    groups: Groups | None
    needs: tuple[Related, ...]
    """What it depends on, or of journeys their steps."""
    exclusions: tuple[Excluded, ...]
    pictures: tuple[Picture, ...]
    incidents: OpenIncidents
    """Those of this SLO."""


def view(portal: Portal, slo: ServiceLevelObjective | Journey) -> SloView:
    """How it stands. Raises `NotAnswered`."""
    standings = portal.standings
    standing = standings.of(slo.service, slo.name)
    assert standing is not None, "both are of the catalogue"  # noqa: S101
    now, ledger = portal.clock(), Ledger.of(slo)
    figures, groups, troubles = _asked(portal, slo, ledger)
    is_sliced = isinstance(slo, ServiceLevelObjective) and isinstance(slo.indicator, Threshold | Probe)
    incidents = portal.open_incidents
    return SloView(
        standing,
        standings.at,
        "; ".join(dict.fromkeys(each for each in (standings.trouble, *troubles) if each)),
        isinstance(slo, Journey),
        slo.description,
        slo.impact,
        objective_in_words(slo),
        own_window_in_words(slo),
        Counted(*map(figures.get, ("service level", "events", "bad events", "bad events left"))),
        bad_event_in_words(slo.indicator).replace("`", "") if isinstance(slo, ServiceLevelObjective) else "",
        tuple(_queries(slo.indicator)) if isinstance(slo, ServiceLevelObjective) else (),
        slo.alerting.mode.value,
        slo.alerting.min_bad_events,
        slo.alerting.shadow,
        tuple(_tiers(slo, figures)),
        groups,
        tuple(_related(standings, _needs(slo), figures)),
        tuple(_excluded(slo, now)),
        tuple(each for each in Picture if is_sliced or each is not Picture.VALUES),
        OpenIncidents(incidents.of(slo.service, slo.name), incidents.trouble, incidents.are_kept),
    )


def _asked(
    portal: Portal, slo: ServiceLevelObjective | Journey, ledger: Ledger
) -> tuple[Figures, Groups | None, tuple[str, ...]]:
    """What is counted, and why it isn't younger: what can't be told takes away nothing that all pages know."""
    try:
        figures = figures_of(portal.gateway, dict(_figures(slo, ledger)))
        groups, trouble = groups_of(portal.gateway, slo)
    except NotAnswered as error:
        return Figures({}), None, (str(error),)
    return figures.value, groups, (figures.trouble, trouble)


def _needs(slo: ServiceLevelObjective | Journey) -> tuple[SloReference, ...]:
    return slo.steps if isinstance(slo, Journey) else slo.depends_on


def _figures(slo: ServiceLevelObjective | Journey, ledger: Ledger) -> Iterator[tuple[str, Expr]]:
    yield "service level", queries.service_level(ledger)
    yield "events", queries.own_window(ledger, "events")
    yield "bad events", queries.own_window(ledger, "bad_events")
    yield "bad events left", queries.bad_events_left(ledger, slo)
    for window in {window for tier in feasible_tiers(slo) for window in (tier.long, tier.short)}:
        yield f"burn {window}", queries.burn_rate(ledger, slo, window)
    for each in _needs(slo):
        yield f"failed {each}", ledger_of(each).figure("error_ratio", _THREE_DAYS)


def _tiers(slo: Objective, figures: Figures) -> Iterator[TierNow]:
    for tier in feasible_tiers(slo):
        yield TierNow(
            tier.severity is AlertSeverity.CRITICAL,
            tier.budget_spent_ratio,
            str(tier.long),
            str(tier.short),
            tier.factor(slo.window),
            figures.get(f"burn {tier.long}"),
            figures.get(f"burn {tier.short}"),
        )


def _queries(indicator: Indicator) -> Iterator[Query]:
    match indicator:
        case BadEventsRatio(total=total, bad=bad):
            named: Mapping[str, Expr] = {"All events": total, "Bad events": bad}
        case GoodEventsRatio(total=total, good=good):
            named = {"All events": total, "Good events": good}
        case Latency(total=total, fast=fast):
            named = {"All events": total, "Fast enough": fast}
        case NativeLatency(histogram=histogram):
            named = {"Histogram": histogram}
        case Threshold(gauge=gauge) | Probe(gauge=gauge):
            named = {"Judged each minute": gauge}
        case _:
            assert_never(indicator)
    for what, expr in named.items():
        yield Query(what, str(expr))


def _related(standings: Standings, references: tuple[SloReference, ...], figures: Figures) -> Iterator[Related]:
    for each in references:
        standing = standings.of(each.service, each.slo)
        yield Related(each.service, each.slo, standing, figures.get(f"failed {each}"))


def _excluded(slo: Objective, now: datetime) -> Iterator[Excluded]:
    window = min(timedelta(seconds=slo.window.seconds), _LONGEST_LOOK_BACK)
    for one in slo.exclusions:
        before, coming = excluded_before(one, now, window), excluded_next(one, now)
        yield Excluded(one.in_words, one.reason, one.author, before, coming)
