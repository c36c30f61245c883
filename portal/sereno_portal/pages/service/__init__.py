"""`/services/{service}`: its SLOs, what it does now, what was deployed, where to look next."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from fastapi import APIRouter, Request, Response
from sereno_slo.model import Service
from sereno_slo.render.links import LAST_HOUR, dashboard_url, logs_url

from sereno_portal.charts import Chart
from sereno_portal.gateway import Length, NotAnswered, span_of
from sereno_portal.happenings import Deployment, deployments
from sereno_portal.open_incidents import OpenIncidents
from sereno_portal.pages.service.charts import Drawing, Picture, draw, pictures_of
from sereno_portal.pages.service.red import Failing, RedNow, failing, now
from sereno_portal.portal import Portal
from sereno_portal.standings import Standing
from sereno_portal.web.languages import said
from sereno_portal.web.missing import no_such
from sereno_portal.web.preferences import preferences_of
from sereno_portal.web.rendering import page

__all__ = ["router"]

_DEPLOYED_WITHIN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A service."""

    service: str
    owner: str
    tier: str
    source: str
    """Its spec."""
    at: datetime
    trouble: str
    slos: tuple[Standing, ...]
    """The most urgent first."""
    now: tuple[RedNow, ...]
    failing: tuple[Failing, ...]
    """The worst first."""
    deployments: tuple[Deployment, ...]
    """To production, of the last seven days, the latest first."""
    pictures: tuple[Picture, ...]
    incidents: OpenIncidents
    """Those of this service."""


def view(portal: Portal, service: Service) -> ServiceView:
    """How it stands. Raises `NotAnswered`."""
    standings, incidents = portal.standings, portal.open_incidents
    troubles = [standings.trouble]
    doing: tuple[RedNow, ...] = ()
    fails: tuple[Failing, ...] = ()
    deployed: tuple[Deployment, ...] = ()
    try:
        doing, trouble = now(portal.gateway, service)
        troubles.append(trouble)
        fails, trouble = failing(portal.gateway, service, portal.catalogue.settings)
        troubles.append(trouble)
        answer = deployments(portal.gateway, service.name, _DEPLOYED_WITHIN)
        deployed = answer.value
        troubles.append(answer.trouble)
    except NotAnswered as error:
        # Budgets are told also where raw series can't be.
        troubles.append(str(error))
    return ServiceView(
        service.name,
        service.owner,
        service.tier.value,
        _short(service.source, portal.configuration.root),
        standings.at,
        "; ".join(dict.fromkeys(filter(None, troubles))),
        tuple(each for each in standings.each if each.service == service.name),
        doing,
        fails,
        deployed,
        pictures_of(service),
        OpenIncidents(incidents.of(service.name), incidents.trouble, incidents.are_kept),
    )


def router(portal: Portal) -> APIRouter:
    """The page and its JSON."""
    routes = APIRouter()

    @routes.get("/services/{service}", include_in_schema=False)
    def service_page(request: Request, service: str, span: Length = Length.SIX_HOURS) -> Response:
        found = view(portal, _found(portal, service))
        links = portal.catalogue.settings.links
        return page(
            request,
            "service.html.j2",
            service=found,
            incidents_of={(each.service, each.slo): each.incident_id for each in reversed(found.incidents.each)},
            chosen=span,
            lengths=tuple(Length),
            grafana=dashboard_url(links, service),
            logs=logs_url(links, service, LAST_HOUR),
        )

    @routes.get("/api/v1/services/{service}")
    def service(service: str) -> ServiceView:
        """How a service stands, and what it does now."""
        return view(portal, _found(portal, service))

    @routes.get("/api/v1/services/{service}/charts/{picture}")
    def chart(request: Request, service: str, picture: Picture, span: Length = Length.SIX_HOURS) -> Chart:
        """A chart over the last span. Its words are in the language of who asks."""
        found, shown = _found(portal, service), span_of(span.time, portal.clock())
        say = partial(said, language=preferences_of(request).language)
        return draw(Drawing(portal.gateway, portal.catalogue.settings, shown, say), found, picture)

    return routes


def _short(source: str, root: Path) -> str:
    """The spec's path within the repository: where that lies is nobody's business."""
    path = Path(source)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _found(portal: Portal, name: str) -> Service:
    """Of the catalogue: no other text of an address is ever asked for."""
    found = portal.catalogue.service(name)
    if found is None:
        raise no_such("there is no service {name}", name, (each.name for each in portal.catalogue.services))
    return found
