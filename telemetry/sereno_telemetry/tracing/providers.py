"""The process's tracer provider: who it is, which traces it samples, where its spans go.

Everything follows OpenTelemetry's standard variables, so operators change it without a deployment; see
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/.
"""

import logging
import os

from opentelemetry import trace
from prometheus_client import REGISTRY, CollectorRegistry

_logger = logging.getLogger("sereno_telemetry")


def configure_tracing(
    service: str, *, sample_ratio: float | None = None, registry: CollectorRegistry | None = None
) -> trace.TracerProvider:
    """Make the process's global tracer provider; call it once, before `instrument` and `instrument_clients`.

    Spans are exported by OTLP/HTTP if OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set, else
    nowhere. An endpoint that is down or slow costs spans, which `sereno_telemetry_spans_dropped_total` counts, and
    nothing else. A process that has a global provider already keeps it, with a warning, and it is returned.

    Args:
        service: the service's name, as in its SLO spec.
        sample_ratio: share of the traces that begin here which are sampled, 0 to 1; traces that come in keep the
            decision of their caller. None: as OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG say, else every trace.
        registry: where lost spans are counted; None is prometheus_client's global registry.

    Raises:
        ValueError: `service` is empty, or `sample_ratio` is no number from 0 to 1.
    """
    if not service.strip():
        raise ValueError("configure_tracing() needs the service's name")
    # Not bool: True would be "every trace" by accident. The comparison is false for NaN.
    if sample_ratio is not None and (isinstance(sample_ratio, bool) or not 0 <= sample_ratio <= 1):
        raise ValueError(f"sample_ratio is a number from 0 (no trace) to 1 (every trace), not {sample_ratio!r}")
    known = trace.get_tracer_provider()
    if not isinstance(known, trace.ProxyTracerProvider):
        _logger.warning("the process has a tracer provider already: configure_tracing(%r) leaves it as it is", service)
        return known
    # The SDK loads with the first provider: importing this package stays cheap.
    from sereno_telemetry.tracing.export import otlp_endpoint, otlp_processor  # noqa: PLC0415
    from sereno_telemetry.tracing.sdk import sdk_provider  # noqa: PLC0415

    provider = sdk_provider(service, sample_ratio, os.environ)
    endpoint = otlp_endpoint(os.environ)
    processor = otlp_processor(endpoint, os.environ, registry or REGISTRY) if endpoint is not None else None
    if processor is not None:
        provider.add_span_processor(processor)
    trace.set_tracer_provider(provider)
    return provider


def exports_spans(provider: trace.TracerProvider) -> bool:
    """Whether anybody reads the spans of `provider`: if not, ids are all that is needed of them.

    A provider of an unknown kind is taken to be read.
    """
    if isinstance(provider, trace.NoOpTracerProvider):
        return False
    # There is no public way to ask; processors may be added at any time, so it is asked anew at each start-up.
    processors = getattr(getattr(provider, "_active_span_processor", None), "_span_processors", None)
    return processors is None or len(processors) > 0
