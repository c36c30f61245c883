"""`/`: what misses its service level or burns, the worst first, and everything by a switch."""

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from sereno_slo.plan import series
from sereno_slo.plan.series import patient
from sereno_slo.promql import Matcher, MatchOp, Selector

from sereno_portal.portal import Portal
from sereno_portal.web.rendering import page


@dataclass(frozen=True, slots=True)
class Row:
    """One SLO."""

    service: str
    slo: str
    budget_remaining_ratio: float | None
    """1 untouched, below 0 overspent; None while nothing is recorded."""


@dataclass(frozen=True, slots=True)
class Overview:
    """All SLOs, the least budget first."""

    rows: tuple[Row, ...]


def view(portal: Portal) -> Overview:
    """How all SLOs stand."""
    question = patient(Selector("", (Matcher("__name__", MatchOp.EQUAL, series.BUDGET_REMAINING),)))
    found = portal.gateway.instant(question).value
    rows = [Row(each.labels["service"], each.labels["slo"], each.value) for each in found]
    return Overview(tuple(sorted(rows, key=lambda row: (row.budget_remaining_ratio, row.service, row.slo))))


def router(portal: Portal) -> APIRouter:
    """The page and its JSON."""
    routes = APIRouter()

    @routes.get("/", include_in_schema=False)
    def overview_page(request: Request) -> Response:
        return page(request, "overview.html.j2", overview=view(portal))

    @routes.get("/api/v1/overview")
    def overview() -> Overview:
        """How all SLOs stand."""
        return view(portal)

    return routes
