"""The `/metrics` endpoint: OpenMetrics for those who ask for it (exemplars exist only there), else the plain format."""

import gzip
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import gzip_accepted

from sereno_telemetry.metrics.health import health_of
from sereno_telemetry.metrics.scraping import scrape

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

_GZIP_LEVEL = 1  # text of samples shrinks to a tenth; higher levels cost several times more for a few percent
_WORTH_COMPRESSING_BYTES = 1_024
_UNAVAILABLE = 503


def expose(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """The samples of `registry` in the format that the `Accept` header asks for, and the content type of that."""
    return scrape(registry, accept)


def add_metrics_endpoint(app: "Starlette", registry: CollectorRegistry, path: str) -> None:
    """Serve `registry` at `path`, before all other routes: a catch-all route must not swallow it.

    Raises:
        ValueError: the app has a route of its own at `path`.
    """
    # The app's own parts: workers, which have no app, expose their metrics without them.
    import anyio  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    if any(getattr(route, "path", None) == path for route in app.routes):
        raise ValueError(f"the app has a route {path} already; give instrument() another metrics_path, or None")
    # A thread of its own: when every thread of the app waits for a dead database, its metrics matter most.
    limiter = anyio.CapacityLimiter(1)

    async def metrics(request: "Request") -> "Response":
        accept = ",".join(request.headers.getlist("accept"))
        encodings = ",".join(request.headers.getlist("accept-encoding"))
        return await anyio.to_thread.run_sync(_answer, registry, accept, encodings, limiter=limiter)

    app.router.routes.insert(0, Route(path, metrics, include_in_schema=False))


def _answer(registry: CollectorRegistry, accept: str, encodings: str) -> "Response":
    from starlette.responses import PlainTextResponse, Response  # noqa: PLC0415

    try:
        body, content_type = expose(registry, accept)
    except OSError as error:  # the figures of one process out of several would look like a restart
        health_of(registry).note(error, doing="adding up the metrics of all processes")
        return PlainTextResponse(f"the metrics of all processes can't be added up: {error}\n", _UNAVAILABLE)
    headers = {"content-type": content_type, "vary": "Accept, Accept-Encoding"}
    if len(body) >= _WORTH_COMPRESSING_BYTES and gzip_accepted(encodings):
        body = gzip.compress(body, _GZIP_LEVEL)
        headers["content-encoding"] = "gzip"
    return Response(body, headers=headers)
