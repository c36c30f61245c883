"""`/`: what misses its service level or burns, the most urgent first, and everything by a switch."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from sereno_portal.open_incidents import OpenIncidents
from sereno_portal.portal import Portal
from sereno_portal.standings import Standing
from sereno_portal.web.rendering import page

ROWS_OF_A_PAGE = 200


class Show(StrEnum):
    """Which SLOs are listed."""

    TROUBLE = "trouble"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Overview:
    """All SLOs, the most urgent first."""

    at: datetime
    trouble: str
    """Why the figures aren't younger; empty where all is well."""
    in_trouble: int
    """So many of the first SLOs need somebody."""
    unknown: int
    """So many have no recorded budget."""
    rows: tuple[Standing, ...]
    incidents: OpenIncidents
    mistakes: tuple[str, ...]
    """Of specs that are left out: nobody knows how their SLOs stand."""

    @property
    def is_calm(self) -> bool:
        """Whether everything is known, and nothing of it needs somebody."""
        known = bool(self.rows) and not (self.trouble or self.unknown or self.mistakes or self.incidents.trouble)
        return known and not self.in_trouble and not self.incidents.each


@dataclass(frozen=True, slots=True)
class Listing:
    """What one page lists."""

    show: Show
    text: str
    """Of service or owner; empty: all of them."""
    rows: tuple[Standing, ...]
    found: int
    """Rows of all pages."""
    number: int
    """Of the page, from 1."""
    pages: int


def view(portal: Portal) -> Overview:
    """How all SLOs stand. Raises `NotAnswered`."""
    standings = portal.standings
    return Overview(
        standings.at,
        standings.trouble,
        len(standings.in_trouble),
        standings.unknown_count,
        standings.each,
        portal.open_incidents,
        portal.catalogue.mistakes,
    )


def listing(overview: Overview, show: Show, text: str, number: int) -> Listing:
    """The page of that number, or the last one there is."""
    chosen = overview.rows if show is Show.ALL else overview.rows[: overview.in_trouble]
    wanted = text.strip().casefold()
    found = [each for each in chosen if wanted in each.service.casefold() or wanted in each.owner.casefold()]
    pages = max(1, -(-len(found) // ROWS_OF_A_PAGE))
    number = min(number, pages)
    rows = found[(number - 1) * ROWS_OF_A_PAGE : number * ROWS_OF_A_PAGE]
    return Listing(show, text.strip(), tuple(rows), len(found), number, pages)


def router(portal: Portal) -> APIRouter:
    """The page and its JSON."""
    routes = APIRouter()

    @routes.get("/", include_in_schema=False)
    def overview_page(
        request: Request,
        show: Show = Show.TROUBLE,
        text: Annotated[str, Query(max_length=100)] = "",
        number: Annotated[int, Query(alias="page", ge=1, le=1_000)] = 1,
    ) -> Response:
        overview = view(portal)
        incidents = {(each.service, each.slo): each.incident_id for each in reversed(overview.incidents.each)}
        chosen = listing(overview, show, text, number)
        return page(request, "overview.html.j2", overview=overview, listing=chosen, incidents=incidents)

    @routes.get("/api/v1/overview")
    def overview() -> Overview:
        """How all SLOs stand, the most urgent first: the first `in_trouble` of them need somebody."""
        return view(portal)

    return routes
