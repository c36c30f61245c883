"""Where the incidents are: a list, each one, and the same as JSON."""

import time
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from sereno_portal.pages.incidents.draft_routes import add_drafts
from sereno_portal.pages.incidents.drafts import DraftDesk, make_draft
from sereno_portal.pages.incidents.entry_routes import add_entries
from sereno_portal.pages.incidents.views import Asked, IncidentList, IncidentView, incident_list, incident_view
from sereno_portal.portal import Portal
from sereno_portal.web.rendering import page

Text = Annotated[str, Query(max_length=1000)]
State = Literal["", "open", "resolved"]
Number = Annotated[int, Query(alias="page", ge=1, le=10_000)]


def router(portal: Portal) -> APIRouter:
    """The pages and their JSON."""
    routes = APIRouter()

    @routes.get("/incidents", include_in_schema=False)
    def list_page(
        request: Request, service: Text = "", slo: Text = "", state: State = "", number: Number = 1
    ) -> Response:
        asked = Asked(service, slo, state, number)
        found = incident_list(portal, asked) if portal.incident_shelf.is_configured else None
        return page(request, "incidents.html.j2", found=found, asked=asked)

    @routes.get("/api/v1/incidents")
    def incidents(service: Text = "", slo: Text = "", state: State = "", number: Number = 1) -> IncidentList:
        """The incidents, open ones first; of a service, of SLOs of one name, in one state."""
        return incident_list(portal, Asked(service, slo, state, number))

    @routes.get("/api/v1/incidents/{incident_id}")
    def incident(incident_id: str) -> IncidentView:
        """One incident: its record, and what happened in one order."""
        return incident_view(portal, incident_id)

    add_entries(routes, portal)
    place = portal.incident_shelf.name
    add_drafts(
        routes,
        portal,
        DraftDesk(lambda incident: make_draft(portal.configuration, place, incident), time.monotonic),
    )
    return routes
