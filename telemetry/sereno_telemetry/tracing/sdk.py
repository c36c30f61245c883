"""A provider of OpenTelemetry's SDK, bounded, whose identity holds in forked workers too."""

import contextlib
import logging
import os
import socket
import uuid
import weakref
from collections.abc import Mapping

from opentelemetry.sdk.resources import (
    HOST_NAME,
    PROCESS_PID,
    SERVICE_INSTANCE_ID,
    SERVICE_NAME,
    OTELResourceDetector,
    Resource,
)
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.util.types import AttributeValue

MOST_ATTRIBUTE_CHARACTERS = 16_384
"""Longer values of attributes are cut: the queue bounds the number of spans, this the memory of each one."""

_LENGTH_VARIABLES = ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT")

_logger = logging.getLogger("sereno_telemetry")


def sdk_provider(service: str, sample_ratio: float | None, environment: Mapping[str, str]) -> TracerProvider:
    """A provider without exporter; without a ratio the SDK reads the standard variables of samplers."""
    sampler = None if sample_ratio is None else ParentBased(TraceIdRatioBased(sample_ratio))
    limits = _limits(environment)
    provider = TracerProvider(sampler=sampler, resource=Resource.create(_identity(service)), span_limits=limits)
    if hasattr(os, "register_at_fork"):
        _renew_identity_after_fork(provider, service)
    return provider


def _limits(environment: Mapping[str, str]) -> SpanLimits:
    """As the environment says, with a length in any case; variables that are no numbers count as not set."""
    length = None if any(environment.get(name, "").strip() for name in _LENGTH_VARIABLES) else MOST_ATTRIBUTE_CHARACTERS
    try:
        return SpanLimits(max_attribute_length=length)
    except ValueError as error:
        _logger.warning(
            "the span limits of the environment can't be used (%s): OpenTelemetry's usual ones apply", error
        )
    usual = 128  # specification "Trace SDK", section "Span Limits"; given numbers keep the variables out
    return SpanLimits(
        max_attributes=usual,
        max_span_attributes=usual,
        max_event_attributes=usual,
        max_link_attributes=usual,
        max_events=usual,
        max_links=usual,
        max_attribute_length=MOST_ATTRIBUTE_CHARACTERS,
        max_span_attribute_length=MOST_ATTRIBUTE_CHARACTERS,
    )


def _identity(service: str) -> dict[str, AttributeValue]:
    """Who this process is; OTEL_RESOURCE_ATTRIBUTES wins, except over the name that SLOs know the service by."""
    of_process: dict[str, AttributeValue] = {
        SERVICE_INSTANCE_ID: str(uuid.uuid4()),
        HOST_NAME: socket.gethostname(),
        PROCESS_PID: os.getpid(),
    }
    return {**of_process, **(OTELResourceDetector().detect().attributes or {}), SERVICE_NAME: service}


def _renew_identity_after_fork(provider: TracerProvider, service: str) -> None:
    """Give each forked worker its own ids: the SDK (1.45) renews the instance's even where the environment names it."""
    kept = weakref.ref(provider)

    def renew() -> None:
        living = kept()
        if living is not None:
            # By the same private call as the SDK's own renewal, which ran before; without it the ids are the parent's.
            with contextlib.suppress(AttributeError):
                living._update_resource(Resource(_identity(service)))  # noqa: SLF001

    os.register_at_fork(after_in_child=renew)
