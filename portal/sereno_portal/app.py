"""The application: all pages over one gateway, and the answers to what goes wrong."""

from collections.abc import Iterator
from http import HTTPStatus
from importlib import resources

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from sereno_backends.prometheus import PrometheusClient
from sereno_postmortems.sources import IncidentSourceUnreachable
from starlette.exceptions import HTTPException

from sereno_portal.catalogue import CatalogueShelf
from sereno_portal.configuration import PortalConfiguration
from sereno_portal.gateway import Explainer, Gateway, NotAnswered
from sereno_portal.incident_shelf import IncidentShelf
from sereno_portal.open_incidents import IncidentDesk
from sereno_portal.pages import backtest, dashboards, incidents, overview, runbooks, service, slo, wall
from sereno_portal.portal import Portal
from sereno_portal.standings import StandingsBook
from sereno_portal.web.access import OwnNames, ProxyUser
from sereno_portal.web.described import refusals
from sereno_portal.web.files import files_of
from sereno_portal.web.rendering import HEADERS, page

PAGES = (
    overview,
    dashboards,
    service,
    slo,
    wall,
    incidents,
    runbooks,
    backtest,
)
_LONGEST_ANSWER_SECONDS = 10.0


def create_portal(configuration: PortalConfiguration) -> FastAPI:
    """The pages of one repository over one Prometheus.

    Raises:
        PrometheusAddressInvalid: of the configuration.
    """
    client = PrometheusClient(configuration.prometheus, timeout_seconds=_LONGEST_ANSWER_SECONDS)
    gateway = Gateway(client, configuration.clock)
    incident_shelf = IncidentShelf(configuration.incidents)
    portal = Portal(
        configuration,
        gateway,
        CatalogueShelf(configuration.root, configuration.specs, configuration.settings_file),
        incident_shelf,
        Explainer(client, configuration.clock),
        StandingsBook(gateway),
        IncidentDesk(incident_shelf),
    )
    app = FastAPI(
        title="Sereno",
        summary="How the SLOs stand, as the pages tell it.",
        docs_url=None,
        redoc_url=None,
        responses=refusals(404, 421, 422, 503),
    )
    if configuration.user_header is not None:
        app.add_middleware(ProxyUser, header=configuration.user_header)
    if configuration.user_header is not None or configuration.public_names or configuration.listens_locally:
        # After ProxyUser, and so around it: who asks under a foreign name must not name a user.
        names = frozenset(configuration.public_names)
        app.add_middleware(OwnNames, names=names, with_loopback=configuration.user_header is None)
    app.add_route("/static/{name:path}", files_of(resources.files("sereno_portal") / "static"), include_in_schema=False)
    for each in PAGES:
        app.include_router(each.router(portal))
    app.add_exception_handler(NotAnswered, _not_answered)
    app.add_exception_handler(IncidentSourceUnreachable, _no_incidents)
    app.add_exception_handler(HTTPException, _http_trouble)
    app.add_exception_handler(RequestValidationError, _wrong_parameters)
    _add_self_observation(app, portal)
    return app


class _Questions(Collector):
    """The gateway's own count, as it is when somebody scrapes."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def collect(self) -> Iterator[CounterMetricFamily]:
        """One counter."""
        yield CounterMetricFamily(
            "sereno_portal_prometheus_questions", "Questions that went to Prometheus.", value=self._gateway.asked
        )


def _add_self_observation(app: FastAPI, portal: Portal) -> None:
    """Both answer without a thread, so also while all threads wait for Prometheus."""
    registry = CollectorRegistry()
    registry.register(_Questions(portal.gateway))

    @app.get("/health", include_in_schema=False)
    async def health() -> dict[str, str]:
        """200 while the pages can be served, whatever Prometheus does."""
        return {"status": "ok"}

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        """The portal's own."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def is_for_machines(request: Request) -> bool:
    """Whether JSON is asked for."""
    return request.url.path.startswith("/api/")


def _trouble(request: Request, status_code: int, what: str) -> Response:
    if is_for_machines(request):
        return JSONResponse({"error": what}, status_code=status_code, headers=HEADERS)
    # A screen on a wall comes back by itself; a form isn't sent again.
    looks_again = status_code == HTTPStatus.SERVICE_UNAVAILABLE and request.method == "GET"
    return page(
        request, "trouble.html.j2", status_code=status_code, what=what, code=status_code, looks_again=looks_again
    )


def _not_answered(request: Request, error: Exception) -> Response:
    return _trouble(request, 503, str(error))


def _no_incidents(request: Request, error: Exception) -> Response:
    cure = "start `sereno incidents serve`, or name another place with --incidents or --database"
    return _trouble(request, 503, f"{error}; {cure}")


def _http_trouble(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    answer = _trouble(request, error.status_code, str(error.detail))
    answer.headers.update(error.headers or {})  # which methods there are, where one isn't
    return answer


def _wrong_parameters(request: Request, error: Exception) -> Response:
    """FastAPI's findings without repeating the input."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for nothing else
    found = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
    return _trouble(request, 422, found)
