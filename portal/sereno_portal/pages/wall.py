"""`/wall`: for a screen that is read from afar, by people who pass."""

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response

from sereno_portal.open_incidents import OpenIncidents
from sereno_portal.portal import Portal
from sereno_portal.standings import Standing
from sereno_portal.web.rendering import page

MOST_SHOWN = 8
"""More lines than that nobody reads from afar."""


@dataclass(frozen=True, slots=True)
class Wall:
    """What needs somebody now."""

    at: datetime
    trouble: str
    """Why the figures aren't younger; a calm wall must not be an old one."""
    slos: int
    in_trouble: int
    paged: int
    """SLOs of which somebody was woken."""
    unknown: int
    worst: tuple[Standing, ...]
    """The most urgent ones."""
    incidents: OpenIncidents
    mistakes: tuple[str, ...]
    """Of specs that are left out: nobody knows how their SLOs stand."""

    @property
    def is_calm(self) -> bool:
        """Whether everything is known, and nothing of it needs somebody."""
        known = bool(self.slos) and not (self.trouble or self.unknown or self.mistakes or self.incidents.trouble)
        return known and not self.in_trouble and not self.incidents.each


def view(portal: Portal) -> Wall:
    """What needs somebody. Raises `NotAnswered`."""
    standings = portal.standings
    troubled = standings.in_trouble
    return Wall(
        standings.at,
        standings.trouble,
        len(standings.each),
        len(troubled),
        sum(each.is_paged for each in troubled),
        standings.unknown_count,
        troubled[:MOST_SHOWN],
        portal.open_incidents,
        portal.catalogue.mistakes,
    )


def router(portal: Portal) -> APIRouter:
    """The page and its JSON."""
    routes = APIRouter()

    @routes.get("/wall", include_in_schema=False)
    def wall_page(request: Request) -> Response:
        return page(request, "wall.html.j2", wall=view(portal), most=MOST_SHOWN, now=portal.clock())

    @routes.get("/api/v1/wall")
    def wall() -> Wall:
        """What needs somebody now."""
        return view(portal)

    return routes
