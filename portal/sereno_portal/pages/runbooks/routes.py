"""Where the runbooks are."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from sereno_portal.pages.runbooks.library import Library
from sereno_portal.pages.runbooks.views import Index, RunbookView, index, link_from, of_alert, of_slo
from sereno_portal.portal import Portal
from sereno_portal.web.markdown import rendered
from sereno_portal.web.rendering import page

Text = Annotated[str, Query(max_length=200)]


def router(portal: Portal) -> APIRouter:
    """The pages and their JSON."""
    routes = APIRouter()
    library = Library(portal.configuration.runbooks)

    def shown(request: Request, view: RunbookView) -> Response:
        leads = partial(link_from, view.names, library.names(), view.incident_id)
        return page(request, "runbook.html.j2", runbook=view, document=rendered(view.text, leads))

    @routes.get("/runbooks", include_in_schema=False)
    def index_page(request: Request, q: Text = "") -> Response:
        return page(request, "runbooks.html.j2", index=index(library, q))

    @routes.get("/runbooks/{alert}", include_in_schema=False)
    def alert_page(request: Request, alert: str, incident: Text = "") -> Response:
        return shown(request, of_alert(portal, library, alert, incident))

    @routes.get("/runbooks/{service}/{slo}", include_in_schema=False)
    def slo_page(request: Request, service: str, slo: str, incident: Text = "") -> Response:
        return shown(request, of_slo(portal, library, service, slo, incident))

    @routes.get("/api/v1/runbooks")
    def runbooks(q: Text = "") -> Index:
        """The runbooks in which all words of `q` stand."""
        return index(library, q)

    @routes.get("/api/v1/runbooks/{alert}")
    def runbook_of_alert(alert: str, incident: Text = "") -> RunbookView:
        """What to do about an alert; with the labels of an incident filled in."""
        return of_alert(portal, library, alert, incident)

    @routes.get("/api/v1/runbooks/{service}/{slo}")
    def runbook_of_slo(service: str, slo: str, incident: Text = "") -> RunbookView:
        """What an SLO's own team knows."""
        return of_slo(portal, library, service, slo, incident)

    return routes
