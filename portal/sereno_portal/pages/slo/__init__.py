"""`/services/{service}/{slo}`: one SLO or journey, its pictures, and who spent its budget."""

from functools import partial

from fastapi import APIRouter, HTTPException, Request, Response
from sereno_slo.model import Journey, ServiceLevelObjective
from sereno_slo.render.links import LAST_HOUR, dashboard_url, logs_url

from sereno_portal.catalogue import objectives_of
from sereno_portal.charts import Chart
from sereno_portal.gateway import Length
from sereno_portal.pages.slo.charts import Picture, draw, span_for
from sereno_portal.pages.slo.explained import Explained, explained
from sereno_portal.pages.slo.view import SloView, view
from sereno_portal.portal import Portal
from sereno_portal.web.languages import said
from sereno_portal.web.missing import no_such
from sereno_portal.web.preferences import preferences_of
from sereno_portal.web.rendering import page

__all__ = ["router"]


def router(portal: Portal) -> APIRouter:
    """The pages and their JSON."""
    routes = APIRouter()

    @routes.get("/services/{service}/{slo}", include_in_schema=False)
    def slo_page(request: Request, service: str, slo: str, span: Length | None = None) -> Response:
        found, links = _found(portal, service, slo), portal.catalogue.settings.links
        return page(
            request,
            "slo.html.j2",
            slo=view(portal, found),
            chosen=span,
            lengths=tuple(Length),
            grafana=dashboard_url(links, service),
            logs=logs_url(links, service, LAST_HOUR),
        )

    @routes.get("/services/{service}/{slo}/explain", include_in_schema=False)
    def explain_page(request: Request, service: str, slo: str) -> Response:
        return page(request, "explain.html.j2", explained=explained(portal, _explicable(portal, service, slo)))

    _add_json(routes, portal)
    return routes


def _add_json(routes: APIRouter, portal: Portal) -> None:
    @routes.get("/api/v1/slos/{service}/{slo}")
    def slo(service: str, slo: str) -> SloView:
        """How an SLO or a journey stands."""
        return view(portal, _found(portal, service, slo))

    @routes.get("/api/v1/slos/{service}/{slo}/explain")
    def explain(service: str, slo: str) -> Explained:
        """Who spent the budget of an SLO, and when. Kept for a minute; it may take seconds."""
        return explained(portal, _explicable(portal, service, slo))

    @routes.get("/api/v1/slos/{service}/{slo}/charts/{picture}")
    def chart(request: Request, service: str, slo: str, picture: Picture, span: Length | None = None) -> Chart:
        """A chart over the last span, or over the SLO's own window. Its words are in the language of who asks."""
        found = _found(portal, service, slo)
        shown = span_for(found, None if span is None else span.time, portal.clock())
        say = partial(said, language=preferences_of(request).language)
        drawn = draw(portal.gateway, found, picture, shown, say)
        if drawn is None:
            raise no_such("there is no chart {name}", picture, (each for each in Picture if each is not Picture.VALUES))
        return drawn


def _found(portal: Portal, service: str, slo: str) -> ServiceLevelObjective | Journey:
    """Of the catalogue: no other text of an address is ever asked for."""
    of_service = portal.catalogue.service(service)
    if of_service is None:
        raise no_such("there is no service {name}", service, (each.name for each in portal.catalogue.services))
    objective = portal.catalogue.objective(service, slo)
    if objective is None:
        known = (f"{service}/{each.name}" for each in objectives_of(of_service))
        raise no_such("there is no SLO {name}", f"{service}/{slo}", known)
    return objective


def _explicable(portal: Portal, service: str, slo: str) -> ServiceLevelObjective:
    found = _found(portal, service, slo)
    if isinstance(found, Journey):
        steps = ", ".join(map(str, found.steps))
        raise HTTPException(404, f"{service}/{slo} is a journey, which spends what its steps lose: look at {steps}")
    return found
