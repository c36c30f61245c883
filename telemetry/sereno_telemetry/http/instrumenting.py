"""`instrument(app)`: everything that a FastAPI service gets, in one call."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from opentelemetry.trace import TracerProvider
from prometheus_client import REGISTRY, CollectorRegistry

from sereno_telemetry.http.metrics import HttpMetrics, http_metrics
from sereno_telemetry.metrics.buckets import buckets_file, duration_buckets
from sereno_telemetry.processes.serving import push_while_serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI

    from sereno_telemetry.http.middleware import AsgiApp, Scope

    Guard = Callable[[AsgiApp], AsgiApp]

_MARK = "_sereno_instrumentation"

_logger = logging.getLogger("sereno_telemetry")


@dataclass(frozen=True, slots=True)
class Instrumentation:
    """What `instrument` set up."""

    service: str
    registry: CollectorRegistry
    """Where the request metrics are; counters of the service's own business belong there as well."""
    buckets: tuple[float, ...]
    """Upper bounds of the request histogram in seconds, without +Inf."""
    tracer_provider: TracerProvider | None
    """What makes the request spans; None without tracing."""


def instrument(
    app: "FastAPI",
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
        app: a FastAPI app, with or without its routes.
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
    from sereno_telemetry.metrics.exposition import add_metrics_endpoint  # noqa: PLC0415

    registry = registry or REGISTRY
    bounds = duration_buckets(buckets_file(buckets), service=service)
    metrics = http_metrics(registry, bounds, sizes=sizes, time_to_first_byte=time_to_first_byte)
    if metrics_path is not None:
        add_metrics_endpoint(app, registry, metrics_path)
    provider, guard = _trace(app, service, tracer_provider, metrics, metrics_path) if tracing else (None, _unguarded)
    _measure(app, metrics, guard, metrics_path)
    push_while_serving(app, service, registry)
    done = Instrumentation(service, registry, metrics.bounds, provider)
    setattr(app, _MARK, done)
    return done


def _trace(
    app: "FastAPI", service: str, given: TracerProvider | None, metrics: HttpMetrics, metrics_path: str | None
) -> "tuple[TracerProvider | None, Guard]":
    """Set up tracing: its provider, and what keeps its failures from requests.

    A service starts without tracing if the installed versions don't fit each other.
    """
    try:
        from sereno_telemetry.tracing.server import fail_open, trace_requests, tracer_provider_for  # noqa: PLC0415

        provider = tracer_provider_for(service, given)
        trace_requests(app, provider, excluded_path=metrics_path)
    except Exception as error:  # noqa: BLE001 - fail open
        metrics.health.note(error, doing="setting up tracing")
        return None, _unguarded
    return provider, lambda stack: fail_open(stack, metrics.health)


def _unguarded(stack: "AsgiApp") -> "AsgiApp":
    return stack


def _measure(app: "FastAPI", metrics: HttpMetrics, guard: "Guard", metrics_path: str | None) -> None:
    """Put the request metric around everything else in the app, the handling of unhandled exceptions included."""
    from sereno_telemetry.http.middleware import RequestMetrics  # noqa: PLC0415
    from sereno_telemetry.http.routes import route_template  # noqa: PLC0415

    # FastAPI 0.165 measures by itself as soon as a global meter provider exists; each request is counted once, here.
    native = getattr(app, "_telemetry", None)
    if isinstance(native, dict):
        native["metrics"] = False
    build: Callable[[], AsgiApp] = app.build_middleware_stack

    def naming(scope: "Scope", path: str, root_path: str) -> str:
        return route_template(scope, routes=app.routes, path=path, root_path=root_path)

    def build_measured() -> "AsgiApp":
        return RequestMetrics(guard(build()), naming=naming, metrics=metrics, excluded_path=metrics_path)

    app.build_middleware_stack = build_measured  # type: ignore[method-assign]
