"""Where faults are injected: functions of prometheus_client and OpenTelemetry, replaced by ones that raise when armed.

They are replaced before the app is instrumented, so that also methods that an instrumentation has bound by then raise.
"""

import contextlib
import functools
import importlib
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler, SamplingResult

_CLIENT, _VALUES = "prometheus_client.metrics", "prometheus_client.values"
_INSTRUMENTS = "opentelemetry.sdk.metrics._internal.instrument"
_CONSUMER = "opentelemetry.sdk.metrics._internal.measurement_consumer"
_SDK = "opentelemetry.sdk.trace"
_PROPAGATOR = "opentelemetry.trace.propagation.tracecontext"

SAMPLER = "sampler of the service's own"

STAGES: dict[str, tuple[str, ...]] = {
    "prometheus_client: labels()": (f"{_CLIENT}:MetricWrapperBase.labels",),
    "prometheus_client: Counter.inc": (f"{_CLIENT}:Counter.inc",),
    "prometheus_client: Gauge.inc": (f"{_CLIENT}:Gauge.inc",),
    "prometheus_client: Gauge.dec": (f"{_CLIENT}:Gauge.dec",),
    "prometheus_client: observe()": (f"{_CLIENT}:Histogram.observe", f"{_CLIENT}:Summary.observe"),
    "prometheus_client: stored value": (f"{_VALUES}:MutexValue.inc",),
    "prometheus_client: exemplar": (f"{_VALUES}:MutexValue.set_exemplar",),
    "OpenTelemetry: Histogram.record": (f"{_INSTRUMENTS}:Histogram.record",),
    "OpenTelemetry: UpDownCounter.add": (f"{_INSTRUMENTS}:UpDownCounter.add",),
    "OpenTelemetry: measurement": (f"{_CONSUMER}:SynchronousMeasurementConsumer.consume_measurement",),
    SAMPLER: (f"{__name__}:OwnSampler.should_sample",),
    "sampler of the SDK": (f"{_SDK}.sampling:ParentBased.should_sample",),
    "trace ids": (f"{_SDK}.id_generator:RandomIdGenerator.generate_trace_id",),
    "span ids": (f"{_SDK}.id_generator:RandomIdGenerator.generate_span_id",),
    "propagator": (f"{_PROPAGATOR}:TraceContextTextMapPropagator.extract",),
    "context": ("opentelemetry.context:attach",),
    "start of a span": (f"{_SDK}:Tracer.start_span",),
    "attributes of a span": (f"{_SDK}:Span.set_attribute", f"{_SDK}:Span.set_attributes"),
    "name of a span": (f"{_SDK}:Span.update_name",),
    "status of a span": (f"{_SDK}:Span.set_status",),
    "exception of a span": (f"{_SDK}:Span.record_exception",),
    "end of a span": (f"{_SDK}:Span.end",),
    "span processor, at the start": (f"{__name__}:OwnProcessor.on_start",),
    "span processor, at the end": (f"{__name__}:OwnProcessor.on_end",),
    "span exporter": (f"{__name__}:OwnExporter.export",),
}
METRIC_BACKENDS = ("prometheus_client: stored value", "OpenTelemetry: measurement")
"""What all metrics go through, whoever makes them."""


class InjectedError(Exception):
    """What a stage raises."""


class OwnSampler(Sampler):
    """A sampler that isn't one of the SDK's, and samples everything."""

    def should_sample(
        self, parent_context: Context | None, trace_id: int, name: str, *more: Any, **options: Any
    ) -> SamplingResult:
        """Sample."""
        return ALWAYS_ON.should_sample(parent_context, trace_id, name, *more, **options)

    def get_description(self) -> str:
        """What it is."""
        return "a sampler of the service's own"


class OwnProcessor(SpanProcessor):
    """A span processor that does nothing."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Do nothing."""

    def on_end(self, span: ReadableSpan) -> None:
        """Do nothing."""


class OwnExporter(SpanExporter):
    """An exporter that keeps nothing."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002 - OpenTelemetry's signature
        """Take the spans."""
        return SpanExportResult.SUCCESS


def provider_for(stages: Sequence[str]) -> TracerProvider:
    """A provider that samples everything, with what the stages break in it."""
    provider = TracerProvider(sampler=OwnSampler()) if SAMPLER in stages else TracerProvider()
    provider.add_span_processor(OwnProcessor())
    provider.add_span_processor(SimpleSpanProcessor(OwnExporter()))
    return provider


class Faults:
    """Replaces the functions of some stages; use it as a context manager around the life of an app."""

    def __init__(self, stages: Sequence[str]) -> None:
        self.hits = 0
        """How often a replaced function has raised."""
        self._targets = [target for stage in stages for target in STAGES[stage]]
        self._is_armed = False
        self._undo = contextlib.ExitStack()

    def __enter__(self) -> Self:
        for target in self._targets:
            self._replace(target)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._undo.close()

    @contextlib.contextmanager
    def armed(self) -> Iterator[None]:
        """While this is open, the functions raise."""
        self._is_armed = True
        try:
            yield
        finally:
            self._is_armed = False

    def _replace(self, target: str) -> None:
        module, _, path = target.partition(":")
        *outer, name = path.split(".")
        owner: Any = functools.reduce(getattr, outer, importlib.import_module(module))
        original: Callable[..., Any] = getattr(owner, name)

        @functools.wraps(original)
        def raising(*arguments: Any, **options: Any) -> Any:
            if self._is_armed:
                self.hits += 1
                raise InjectedError(target)
            return original(*arguments, **options)

        setattr(owner, name, raising)
        self._undo.callback(setattr, owner, name, original)
