"""What tests of workers share: a clock by hand, spans in memory, what a registry holds, real brokers."""

from collections.abc import Callable, Mapping

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry
from sereno_telemetry import Consumer
from support.rabbitmq import rabbitmq
from support.redis import redis_port
from support.work import Clock, MalformedError, Tracing, TransientError

__all__ = ["rabbitmq", "redis_port"]

Read = Callable[..., float | None]
Series = Callable[[str], Mapping[tuple[str, ...], float]]


@pytest.fixture
def clock() -> Clock:
    """The time, seconds since the epoch."""
    return Clock()


@pytest.fixture
def tracing() -> Tracing:
    """A provider that samples everything, and its finished spans."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Tracing(provider, exporter)


@pytest.fixture
def series(registry: CollectorRegistry) -> Series:
    """Samples of a name: label values → value."""

    def read(name: str) -> Mapping[tuple[str, ...], float]:
        return {
            tuple(sample.labels.values()): sample.value
            for family in registry.collect()
            for sample in family.samples
            if sample.name == name
        }

    return read


@pytest.fixture
def orders(registry: CollectorRegistry, tracing: Tracing, clock: Clock) -> Consumer:
    """A consumer."""
    return Consumer(
        "orders",
        system="rabbitmq",
        registry=registry,
        tracer_provider=tracing.provider,
        retried_on=(TransientError,),
        rejected_on=(MalformedError,),
        clock=clock,
    )
