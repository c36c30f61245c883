"""The instrumentations that are compared, each put into an app as its own documentation says.

Where one has an option that makes it better at what is asked here (status codes one by one, unknown paths grouped,
requests in progress, the scrape left out), it is on. Peers are imported by name: they are installed in the benchmark's
own environment only.
"""

import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from opentelemetry import metrics, trace
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import REGISTRY, CollectorRegistry, make_asgi_app

from benchmarks.telemetry.floor import BOUNDS, install_floor


@dataclass(frozen=True, slots=True)
class Setting:
    """What the app gets beside request metrics."""

    provider: TracerProvider | None = None
    """Makes the request spans; None: no traces."""
    sampled_ratio: float = 0.0
    """For the floor, which decides by itself."""
    registry: CollectorRegistry = REGISTRY


@dataclass(frozen=True, slots=True)
class Naming:
    """What an instrumentation calls its metrics and labels."""

    count: str
    seconds: str
    active: str
    route: str
    method: str
    code: str
    error: str = "error_type"


@dataclass(frozen=True, slots=True)
class Instrument:
    """One way to watch a FastAPI app."""

    name: str
    distribution: str | None
    """What it is installed from; None: this repository."""
    install: Callable[[FastAPI, Setting], None]
    naming: Naming
    traces: bool
    """Whether it makes request spans at all."""


_CONVENTIONS = Naming(
    count="http_server_request_duration_seconds_count",
    seconds="http_server_request_duration_seconds_sum",
    active="http_server_active_requests",
    route="http_route",
    method="http_request_method",
    code="http_response_status_code",
)
METRICS_PATH = "/metrics"


def _sereno(app: FastAPI, setting: Setting) -> None:
    sereno = importlib.import_module("sereno_telemetry")
    sereno.instrument(app, service="benchmark", registry=setting.registry, tracer_provider=setting.provider)


def _instrumentator(app: FastAPI, setting: Setting) -> None:
    peer = importlib.import_module("prometheus_fastapi_instrumentator")
    peer.Instrumentator(
        should_group_status_codes=False,
        should_instrument_requests_inprogress=True,
        excluded_handlers=[f"^{METRICS_PATH}$"],
        registry=setting.registry,
    ).instrument(app).expose(app, endpoint=METRICS_PATH)


def _starlette_exporter(app: FastAPI, setting: Setting) -> None:  # noqa: ARG001 - it knows the global registry only
    peer = importlib.import_module("starlette_exporter")
    app.add_middleware(
        peer.PrometheusMiddleware,
        filter_unhandled_paths=False,
        group_unhandled_paths=True,
        skip_paths=[METRICS_PATH],
        buckets=BOUNDS,
        exemplars=_exemplar_of_request,
    )
    app.add_route(METRICS_PATH, peer.handle_openmetrics)


def _exemplar_of_request(request: Any) -> dict[str, str]:
    """The labels of an exemplar, as starlette-exporter asks its users for them."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        return {"trace_id": trace.format_trace_id(context.trace_id)}
    given: str = request.headers.get("traceparent", "")
    return {"trace_id": given[3:35]} if given.endswith("-01") else {}


def _opentelemetry(app: FastAPI, setting: Setting) -> None:
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "http"
    _global_providers(setting)
    peer = importlib.import_module("opentelemetry.instrumentation.fastapi")
    peer.FastAPIInstrumentor.instrument_app(app, excluded_urls=f"{METRICS_PATH}/?$", exclude_spans=["receive", "send"])
    app.mount(METRICS_PATH, make_asgi_app(setting.registry))


def _fastapi(app: FastAPI, setting: Setting) -> None:
    _global_providers(setting)  # it switches itself on
    app.mount(METRICS_PATH, make_asgi_app(setting.registry))
    native: Any = app
    native._telemetry["exclude"] = lambda scope: scope["path"].startswith(METRICS_PATH)  # noqa: SLF001 - telemetry=…


def _global_providers(setting: Setting) -> None:
    exporter = importlib.import_module("opentelemetry.exporter.prometheus")
    sdk = importlib.import_module("opentelemetry.sdk.metrics")
    reader = exporter.PrometheusMetricReader(registry=setting.registry)
    metrics.set_meter_provider(sdk.MeterProvider(metric_readers=[reader]))
    if setting.provider is not None:
        trace.set_tracer_provider(setting.provider)


def _floor(app: FastAPI, setting: Setting) -> None:
    install_floor(app, setting.registry, setting.provider, setting.sampled_ratio)


def _bare(app: FastAPI, setting: Setting) -> None:
    """Nothing: what everything else is compared with."""


BARE, FLOOR, SERENO = "bare", "floor", "Sereno"
INSTRUMENTS = {
    instrument.name: instrument
    for instrument in (
        Instrument(BARE, None, _bare, _CONVENTIONS, traces=True),
        Instrument(FLOOR, None, _floor, _CONVENTIONS, traces=True),
        Instrument(SERENO, None, _sereno, _CONVENTIONS, traces=True),
        Instrument(
            "instrumentator",
            "prometheus-fastapi-instrumentator",
            _instrumentator,
            Naming(
                count="http_requests_total",
                seconds="http_request_duration_seconds_sum",
                active="http_requests_inprogress",
                route="handler",
                method="method",
                code="status",
            ),
            traces=False,
        ),
        Instrument(
            "starlette-exporter",
            "starlette-exporter",
            _starlette_exporter,
            Naming(
                count="starlette_requests_total",
                seconds="starlette_request_duration_seconds_sum",
                active="starlette_requests_in_progress",
                route="path",
                method="method",
                code="status_code",
            ),
            traces=False,
        ),
        Instrument("OpenTelemetry", "opentelemetry-instrumentation-fastapi", _opentelemetry, _CONVENTIONS, traces=True),
        Instrument("FastAPI's own", "fastapi", _fastapi, _CONVENTIONS, traces=True),
    )
}
PEERS = tuple(name for name, one in INSTRUMENTS.items() if one.distribution is not None)
