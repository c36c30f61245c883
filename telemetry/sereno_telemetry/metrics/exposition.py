"""The `/metrics` endpoint: OpenMetrics for those who ask for it (exemplars exist only there), else the plain format."""

from collections.abc import Iterable
from functools import partial

import anyio.to_thread
from anyio import CapacityLimiter
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


class _WithoutCreated(Collector):
    """A registry without its `_created` samples: one more series for each counter and histogram, which nobody reads."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterable[Metric]:
        for family in self._registry.collect():
            created = f"{family.name}_created"
            lean = Metric(family.name, family.documentation, family.type, family.unit)
            lean.samples = [sample for sample in family.samples if sample.name != created]
            yield lean


def expose(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """The samples of `registry` in the format that the `Accept` header asks for, and the content type of that."""
    view = _WithoutCreated(registry)
    try:
        encoder, content_type = choose_encoder(accept)
    except (TypeError, ValueError):  # a version that is no number
        encoder, content_type = choose_encoder("")
    return encoder(view), content_type


def add_metrics_endpoint(app: Starlette, registry: CollectorRegistry, path: str) -> None:
    """Serve `registry` at `path`, before all other routes: a catch-all route must not swallow it.

    Raises:
        ValueError: the app has a route of its own at `path`.
    """
    if any(getattr(route, "path", None) == path for route in app.routes):
        raise ValueError(f"the app has a route {path} already; give instrument() another metrics_path, or None")
    # A thread of its own: when every thread of the app waits for a dead database, its metrics matter most.
    limiter = CapacityLimiter(1)

    async def metrics(request: Request) -> Response:
        accept = ",".join(request.headers.getlist("accept"))
        body, content_type = await anyio.to_thread.run_sync(partial(expose, registry, accept), limiter=limiter)
        return Response(body, headers={"content-type": content_type})

    app.router.routes.insert(0, Route(path, metrics, include_in_schema=False))
