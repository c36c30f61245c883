"""`instrument(app)`: everything that a FastAPI or Starlette service gets, in one call."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from opentelemetry.trace import TracerProvider
from prometheus_client import REGISTRY, CollectorRegistry

from sereno_telemetry.http.metrics import HttpMetrics, http_metrics
from sereno_telemetry.http.middleware import AsgiApp, Receive, RequestMetrics, Scope, Send
from sereno_telemetry.http.naming import UNMATCHED, Naming, path_in_app
from sereno_telemetry.metrics.buckets import buckets_file, duration_buckets
from sereno_telemetry.metrics.health import TelemetryHealth
from sereno_telemetry.processes.serving import push_while_serving

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from sereno_telemetry.tracing.server import ProviderSource

_MARK = "_sereno_instrumentation"

_Layer = Callable[[AsgiApp], AsgiApp]

_logger = logging.getLogger("sereno_telemetry")


@dataclass(frozen=True, slots=True)
class Instrumentation:
    """What `instrument` set up."""

    service: str
    registry: CollectorRegistry
    """Where the request metrics are; counters of the service's own business belong there as well."""
    buckets: tuple[float, ...]
    """Upper bounds of the request histogram in seconds, without +Inf."""
    _provider: "ProviderSource | None" = field(repr=False)

    @property
    def tracer_provider(self) -> TracerProvider | None:
        """What makes the request spans; None without tracing.

        Where none was given it is the process's own, which may be set up later than the app, until the first request.
        """
        return None if self._provider is None else self._provider()


def instrument(
    app: "Starlette",
    *,
    service: str,
    registry: CollectorRegistry | None = None,
    buckets: Path | None = None,
    tracing: bool = True,
    tracer_provider: TracerProvider | None = None,
    metrics_path: str | None = "/metrics",
    sizes: bool = False,
    time_to_first_byte: bool = False,
) -> Instrumentation:
    """Measure and trace the requests of `app` and serve its metrics; call it once, before the app starts.

    Whatever fails while a request is served is counted in `sereno_telemetry_errors_total` and kept from the request.

    Args:
        app: a FastAPI or Starlette app, with or without its routes; for others there is `measured`.
        service: the service's name, as in its SLO spec.
        registry: where metrics go; None is prometheus_client's global registry.
        buckets: file with the histogram's bounds, as `sereno compile` writes it; None reads the path from the
            environment variable SERENO_BUCKETS_FILE. A file that can't be used is a warning, and the usual bounds.
        tracing: whether each request gets a span. Without spans, logs and exemplars carry no trace ids.
        tracer_provider: what makes the spans; None is the process's global provider, and where there is none, one
            that exports nothing.
        metrics_path: where metrics are served; None leaves that to the app.
        sizes: whether sizes of request and response bodies are measured.
        time_to_first_byte: whether the time until the first chunk of the answer is measured, apart from its duration.

    Raises:
        RuntimeError: the app has started already.
        ValueError: the registry or the app already has a metric or a route of our name.
    """
    known = getattr(app, _MARK, None)
    if isinstance(known, Instrumentation):
        _logger.warning("instrument() was called again for the app of %s: it is measured once", known.service)
        return known
    if app.middleware_stack is not None:
        raise RuntimeError("the app has started already: call instrument() before it serves")
    # The app's own parts: fastapi and starlette are no dependencies of ours, so they load only with an app.
    from sereno_telemetry.http.routes import naming_for  # noqa: PLC0415
    from sereno_telemetry.metrics.exposition import add_metrics_endpoint  # noqa: PLC0415

    registry = registry or REGISTRY
    bounds = duration_buckets(buckets_file(buckets), service=service)
    metrics = http_metrics(registry, bounds, sizes=sizes, time_to_first_byte=time_to_first_byte)
    if metrics_path is not None:
        add_metrics_endpoint(app, registry, metrics_path)
    naming = naming_for(app)
    provider, layer = _traced(naming, service, tracer_provider, metrics) if tracing else (None, _untraced)

    def measuring(stack: AsgiApp) -> AsgiApp:
        return RequestMetrics(layer(stack), naming=naming, metrics=metrics, excluded_path=metrics_path)

    _surround(app, measuring, metrics.health, traced=provider is not None)
    push_while_serving(app, service, registry)
    done = Instrumentation(service, registry, metrics.bounds, provider)
    setattr(app, _MARK, done)
    return done


def measured(
    app: AsgiApp,
    *,
    service: str,
    route: Callable[[Scope], str | None] | None = None,
    registry: CollectorRegistry | None = None,
    buckets: Path | None = None,
    tracing: bool = True,
    tracer_provider: TracerProvider | None = None,
    metrics_path: str | None = None,
    sizes: bool = False,
    time_to_first_byte: bool = False,
) -> AsgiApp:
    """Any ASGI app, measured and traced as `instrument` does it for FastAPI and Starlette; serve what is returned.

    Args:
        app: the app; what is mounted in it belongs to it.
        route: says the template of the route (`/orders/{order_id}`) from the scope as the app left it, or None for
            requests that have no handler; without it all requests are `unmatched`. Templates must be few: only the
            first 300 have series of their own.
        service: as for `instrument`, and so are the next four.
        registry: where metrics go.
        buckets: file with the histogram's bounds.
        tracing: whether each request gets a span.
        tracer_provider: what makes the spans.
        metrics_path: where metrics are served, which takes Starlette; None leaves that to the app.
        sizes: whether sizes of bodies are measured.
        time_to_first_byte: whether the time until the first chunk of the answer is measured.

    Raises:
        ValueError: the registry already has a metric of our name.
    """
    registry = registry or REGISTRY
    bounds = duration_buckets(buckets_file(buckets), service=service)
    metrics = http_metrics(registry, bounds, sizes=sizes, time_to_first_byte=time_to_first_byte)
    naming = _named_by(route)
    _, layer = _traced(naming, service, tracer_provider, metrics) if tracing else (None, _untraced)
    serving = app if metrics_path is None else _with_metrics(app, registry, metrics_path)
    return RequestMetrics(layer(serving), naming=naming, metrics=metrics, excluded_path=metrics_path)


def _named_by(route: Callable[[Scope], str | None] | None) -> Naming:
    def name(scope: Scope, _path: str, _root_path: str) -> str:
        template = None if route is None else route(scope)
        if template is None:
            return UNMATCHED
        if not isinstance(template, str):
            raise TypeError(f"route() of measured() returned {template!r}, not a template")
        return template

    return name


def _with_metrics(app: AsgiApp, registry: CollectorRegistry, path: str) -> AsgiApp:
    from starlette.applications import Starlette  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    from sereno_telemetry.metrics.exposition import add_metrics_endpoint  # noqa: PLC0415

    endpoint = Starlette()
    add_metrics_endpoint(endpoint, registry, path)
    (answer,) = (route.app for route in endpoint.routes if isinstance(route, Route))

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        asked = scope["type"] == "http" and path_in_app(scope) == path
        await (answer if asked else app)(scope, receive, send)

    return serve


def _surround(app: "Starlette", layer: _Layer, health: TelemetryHealth, *, traced: bool) -> None:
    """Put `layer` around everything else in the app, the handling of unhandled exceptions included."""
    # FastAPI 0.165 measures by itself as soon as a global meter provider exists; each request is counted once, here.
    native = getattr(app, "_telemetry", None)
    if isinstance(native, dict):
        native["metrics"] = False
    if traced:
        # OpenTelemetry's own instrumentation looks at this mark: it must not begin a second span.
        app._is_instrumented_by_opentelemetry = True  # type: ignore[attr-defined]  # noqa: SLF001
    build: Callable[[], AsgiApp] = app.build_middleware_stack

    def build_surrounded() -> AsgiApp:
        return _put_around(build(), layer, health, doing="putting the request metrics around an app")

    app.build_middleware_stack = build_surrounded  # type: ignore[method-assign]


def _put_around(stack: AsgiApp, layer: _Layer, health: TelemetryHealth, *, doing: str) -> AsgiApp:
    """`stack` within `layer`; without it if that can't be made: a service always starts."""
    try:
        return layer(stack)
    except Exception as error:  # noqa: BLE001 - fail open
        health.note(error, doing=doing)
        return stack


def _traced(
    naming: Naming, service: str, given: TracerProvider | None, metrics: HttpMetrics
) -> "tuple[ProviderSource | None, _Layer]":
    """What says who makes the spans, and what puts them around an app when it starts.

    A service starts without tracing if the installed versions don't fit each other.
    """
    try:
        from sereno_telemetry.tracing.layers import provider_source, trace_app  # noqa: PLC0415

        source = provider_source(service, given)
    except Exception as error:  # noqa: BLE001 - fail open
        metrics.health.note(error, doing="setting up tracing")
        return None, _untraced

    def traced(stack: AsgiApp) -> AsgiApp:
        return trace_app(stack, naming=naming, provider=source, health=metrics.health)

    return source, lambda stack: _put_around(stack, traced, metrics.health, doing="setting up tracing")


def _untraced(stack: AsgiApp) -> AsgiApp:
    return stack
