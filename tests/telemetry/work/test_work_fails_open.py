"""Instrumentation of work that breaks, at any of its hooks, changes nothing that the application sees."""

import asyncio
import contextvars
import fcntl
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry import propagate
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Sampler, SamplingResult
from prometheus_client import CollectorRegistry
from sereno_telemetry import Consumer, Delivery, Job, current_message, current_run, publishing
from sereno_telemetry.metrics import families
from sereno_telemetry.work import job_files
from support.work import SAMPLED


class Broken:
    """Raises whatever is done with it."""

    def __call__(self, *_: object, **__: object) -> Any:
        """Raise."""
        raise RuntimeError("broken instrumentation")

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"broken instrumentation: {name}")


class BrokenSampler(Sampler):
    """Spans can't be started."""

    def should_sample(self, *_: object, **__: object) -> SamplingResult:
        """Raise."""
        raise RuntimeError("broken sampler")

    def get_description(self) -> str:
        """Its name."""
        return "broken"


class BrokenProcessor(SimpleSpanProcessor):
    """Spans can't be ended."""

    def on_end(self, span: object) -> None:  # noqa: ARG002 - OpenTelemetry's signature
        """Raise."""
        raise RuntimeError("broken processor")


def broken_provider(*, at_the_end: bool) -> TracerProvider:
    """A provider whose spans can't be started, or ended."""
    if not at_the_end:
        return TracerProvider(sampler=BrokenSampler())
    provider = TracerProvider()
    provider.add_span_processor(BrokenProcessor(InMemorySpanExporter()))
    return provider


@dataclass(frozen=True)
class Fault:
    """One hook that is broken."""

    name: str
    attribute: tuple[object, str] | None = None
    provider: TracerProvider | None = None
    clock: Callable[[], float] | None = None
    delivery: Delivery | None = None


def _fault(owner: object, attribute: str) -> Fault:
    return Fault(f"{getattr(owner, '__name__', owner)}.{attribute}", (owner, attribute))


FAULTS = (
    _fault(families.HistogramFamily, "child"),
    _fault(families.HistogramChild, "observe"),
    _fault(families.CounterFamily, "child"),
    _fault(families.GaugeFamily, "child"),
    _fault(otel_context, "attach"),
    _fault(otel_context, "detach"),
    _fault(otel_context, "get_current"),
    _fault(otel_context, "set_value"),
    _fault(propagate, "extract"),
    _fault(propagate, "inject"),
    _fault(propagate, "get_global_textmap"),
    _fault(job_files, "write_to_textfile"),
    _fault(job_files, "merged"),
    _fault(fcntl, "flock"),
    Fault("sampler", provider=broken_provider(at_the_end=False)),
    Fault("span processor", provider=broken_provider(at_the_end=True)),
    Fault("provider", provider=Broken()),  # type: ignore[arg-type]
    Fault("clock", clock=Broken()),
    Fault("pika's objects", delivery=Delivery.from_pika(Broken(), Broken())),
    Fault("aio-pika's objects", delivery=Delivery.from_aio_pika(Broken())),
    Fault("an SQS message", delivery=Delivery.from_sqs({"Attributes": 7, "MessageAttributes": [1]})),
    Fault("a stream entry", delivery=Delivery.from_redis_stream(7, 8)),  # type: ignore[arg-type]
    Fault("headers", delivery=Delivery(Broken())),  # type: ignore[arg-type]
)

Work = Callable[[], object]


def forms(
    consumer: Consumer, job: Job, delivery: Delivery, registry: CollectorRegistry
) -> Iterator[Callable[[Work], object]]:
    """Every way of putting work under watch; each returns what the work returns, and raises what it raises."""
    yield from forms_of_consumers(consumer, delivery)
    yield from forms_of_jobs(job)

    def sent(work: Work) -> object:
        with publishing("q", system="redis", headers={"own": "1"}, registry=registry) as headers:
            assert headers["own"] == "1"
            return work()

    yield sent


def forms_of_consumers(  # noqa: C901 - one list
    consumer: Consumer, delivery: Delivery
) -> Iterator[Callable[[Work], object]]:
    """Messages, by hand and in decorated functions of each form."""

    def by_hand(work: Work) -> object:
        with consumer.processing(delivery) as message:
            message.retry()
            return work()

    def decorated(work: Work) -> object:
        @consumer
        def handle(_: Delivery) -> object:
            current_message().reject("no")
            return work()

        return handle(delivery)

    def coroutine(work: Work) -> object:
        @consumer
        async def handle(_: Delivery) -> object:
            await asyncio.sleep(0)
            return work()

        return asyncio.run(handle(delivery))

    def generator(work: Work) -> object:
        @consumer
        def handle(_: Delivery) -> Iterator[object]:
            yield work()

        return next(iter(list(handle(delivery))))

    def async_generator(work: Work) -> object:
        @consumer
        async def handle(_: Delivery) -> AsyncIterator[object]:
            yield work()

        async def first() -> object:
            return [item async for item in handle(delivery)][0]  # noqa: RUF015 - to its end

        return asyncio.run(first())

    def batch(work: Work) -> object:
        with consumer.processing(delivery, Delivery(SAMPLED)):
            return work()

    yield from (by_hand, decorated, coroutine, generator, async_generator, batch)


def forms_of_jobs(job: Job) -> Iterator[Callable[[Work], object]]:
    """Runs, by hand and in a decorated function."""

    def run(work: Work) -> object:
        with job.running() as going:
            going.rows("all", read=1, rejected=2)
            list(going.reading("all", [1, 2]))
            return work()

    def decorated_run(work: Work) -> object:
        @job
        def go() -> object:
            current_run().fail()
            return work()

        return go()

    yield from (run, decorated_run)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_application_does_not_notice(
    fault: Fault, registry: CollectorRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same results, the very same exceptions, each message handled once, whichever hook is broken."""
    more: dict[str, Any] = {"clock": fault.clock} if fault.clock else {}
    consumer = Consumer("q", system="redis", registry=registry, tracer_provider=fault.provider, **more)
    job = Job("import", registry=registry, tracer_provider=fault.provider, textfile=tmp_path, flush=Broken(), **more)
    delivery = fault.delivery or Delivery(SAMPLED)
    watched = list(forms(consumer, job, delivery, registry))
    with monkeypatch.context() as patch:
        if fault.attribute is not None:
            patch.setattr(*fault.attribute, Broken())
        for form in watched:
            contextvars.copy_context().run(_looks_the_same, form)  # what can't be detached must not reach other tests
    assert registry.get_sample_value("sereno_telemetry_errors_total")


def _looks_the_same(form: Callable[[Work], object]) -> None:
    done: list[str] = []
    result, error = object(), LookupError("the application's own")

    def succeeds() -> object:
        done.append("acknowledged")
        return result

    def fails() -> object:
        done.append("not acknowledged")
        raise error

    assert form(succeeds) is result
    with pytest.raises(LookupError) as caught:
        form(fails)
    assert caught.value is error
    assert done == ["acknowledged", "not acknowledged"]


def test_a_gateway_that_is_down_stops_nothing(registry: CollectorRegistry) -> None:
    """The run's result stands; that nobody heard of it is counted."""
    with Job("import", registry=registry, pushgateway="http://127.0.0.1:9").running():
        pass
    assert registry.get_sample_value("job_runs_total", {"job_name": "import", "outcome": "ok"}) == 1
    assert registry.get_sample_value("sereno_telemetry_errors_total") == 1


def test_what_ends_a_process_passes(registry: CollectorRegistry) -> None:
    """SystemExit and KeyboardInterrupt of the application are its own, and leave nothing in progress."""
    consumer = Consumer("q", system="redis", registry=registry)
    for error in (SystemExit(3), KeyboardInterrupt()):
        with pytest.raises(type(error)) as caught, consumer.processing():
            raise error
        assert caught.value is error
    labels = {"messaging_system": "redis", "messaging_destination_name": "q"}
    assert registry.get_sample_value("messaging_messages_in_progress", labels) == 0
