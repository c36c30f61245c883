"""Spans on their way out: they arrive, and a collector that is down, slow or broken costs spans and nothing else."""

import logging
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from prometheus_client import CollectorRegistry
from sereno_telemetry import instrument, instrument_clients
from sereno_telemetry.tracing.export import BoundedSpanProcessor, OnceAMinute, otlp_processor
from support.otlp_sink import Answer, otlp_sink
from support.ports import free_port
from support.waiting import wait_for

Call = Callable[..., httpx.Response]

QUEUE = 30
HASTY = {"OTEL_BSP_MAX_QUEUE_SIZE": str(QUEUE), "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "10", "OTEL_BSP_SCHEDULE_DELAY": "10"}
REQUESTS = 120


def dropped(registry: CollectorRegistry) -> float:
    """Spans counted as lost."""
    reasons = ("queue_full", "export_failed", "shutdown")
    name = "sereno_telemetry_spans_dropped_total"
    return sum(registry.get_sample_value(name, {"reason": reason}) or 0 for reason in reasons)


@contextmanager
def collector(answer: Answer | None) -> Iterator[str]:
    """The base URL of a collector; None: nobody listens there."""
    if answer is None:
        yield f"http://127.0.0.1:{free_port()}"
    else:
        with otlp_sink(answer) as sink:
            yield sink.url


def shop() -> FastAPI:
    """An app with an answer and a failure."""
    app = FastAPI()

    @app.get("/items/{item}")
    def item(item: int) -> int:
        return 100 // item

    return app


def answers(call: Call, app: FastAPI) -> list[tuple[int, str]]:
    """What the app answers to many requests."""
    return [
        (answer.status_code, answer.text) for answer in (call(app, "GET", f"/items/{n % 3}") for n in range(REQUESTS))
    ]


@pytest.mark.parametrize("answer", [None, Answer.NEVER_ANSWERS, Answer.ANSWERS_500], ids=str)
def test_a_bad_collector_costs_spans_only(
    answer: Answer | None,
    call: Call,
    registry: CollectorRegistry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Answers are the same, the queue stays within its limit, each lost span is counted, the log gets a few lines."""
    expected = answers(call, shop())
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    monkeypatch.setattr(logging.getLogger("opentelemetry.exporter.otlp.proto.http.trace_exporter"), "filters", [])
    with collector(answer) as url, caplog.at_level(logging.WARNING):
        processor = otlp_processor(f"{url}/v1/traces", HASTY, registry)
        assert processor is not None
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(processor)
        app = shop()
        instrument(app, service="shop", registry=registry, tracer_provider=provider)
        assert answers(call, app) == expected
        assert processor._waiting <= QUEUE
        assert len(processor._batch_processor._queue) <= QUEUE
        wait_for(lambda: dropped(registry) == REQUESTS, what="every span to be counted as lost")
        provider.shutdown()
    kinds = Counter(record.msg for record in caplog.records if record.name.startswith(("opentelemetry", "sereno")))
    assert kinds
    assert all(count == 1 for count in kinds.values())
    assert all(record.exc_info is None for record in caplog.records if record.name.startswith("opentelemetry.exporter"))


class HeldExporter(SpanExporter):
    """An exporter that takes its time, or breaks."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.breaks = False

    def export(self, spans: object) -> SpanExportResult:  # noqa: ARG002 - the SDK's signature
        """Wait, then succeed or raise."""
        self.go_on.wait(30)
        if self.breaks:
            raise RuntimeError("broken exporter")
        return SpanExportResult.SUCCESS


def test_the_queue_lets_in_what_it_can_send_again(registry: CollectorRegistry) -> None:
    """While the exporter hangs the surplus is lost at once; when it goes on, nothing more is."""
    exporter = HeldExporter()
    processor = BoundedSpanProcessor(lambda: exporter, HASTY, registry)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    tracer = provider.get_tracer("test")
    for _ in range(100):
        tracer.start_span("work").end()
    lost = dropped(registry)
    assert 100 - QUEUE - 10 <= lost <= 100 - QUEUE  # one batch may be in the exporter's hands
    exporter.go_on.set()
    wait_for(lambda: processor._waiting == 0, what="the queue to drain")
    for _ in range(QUEUE):
        tracer.start_span("work").end()
    assert dropped(registry) == lost
    provider.shutdown()
    tracer.start_span("too late").end()
    assert dropped(registry) == lost + 1


def test_an_exporter_that_raises_is_counted(registry: CollectorRegistry) -> None:
    """Its exception ends in the errors' counter, its batch in that of lost spans; the next batch is tried."""
    exporter = HeldExporter()
    exporter.breaks = True
    exporter.go_on.set()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BoundedSpanProcessor(lambda: exporter, HASTY, registry))
    for count in (1, 2):
        provider.get_tracer("test").start_span("work").end()
        wait_for(lambda count=count: dropped(registry) == count, what="the loss to be counted")  # type: ignore[misc]
    assert registry.get_sample_value("sereno_telemetry_errors_total") == 2
    provider.shutdown()


def test_the_log_hears_of_each_trouble_once_a_minute() -> None:
    """One record of a kind a minute, without its traceback."""
    now = 0.0
    limiter = OnceAMinute(clock=lambda: now)

    def told(message: str) -> bool:
        record = logging.LogRecord("sdk", logging.ERROR, "", 0, message, (), (ValueError, ValueError(), None))
        passed = limiter.filter(record)
        assert record.exc_info is None
        return passed

    assert [told("down"), told("down"), told("slow")] == [True, False, True]
    now = 61.0
    assert told("down")


def test_calls_to_the_collector_are_no_calls_of_the_service(registry: CollectorRegistry) -> None:
    """The exporter's own requests are neither measured nor traced, though the library that it uses is instrumented."""
    with otlp_sink() as sink:
        processor = otlp_processor(f"{sink.url}/v1/traces", HASTY, registry)
        assert processor is not None
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(processor)
        clients = instrument_clients(registry=registry, tracer_provider=provider, libraries=["requests"])
        try:
            provider.get_tracer("test").start_span("work").end()
            provider.shutdown()
        finally:
            clients.uninstrument()
        assert [name for _, name in sink.received] == ["work"]
    assert dropped(registry) == 0
    assert not [family for family in registry.collect() if family.name.startswith("http_client") and family.samples]


FORKING_SERVICE = """
import os, sys
from prometheus_client import CollectorRegistry
from sereno_telemetry import configure_tracing

provider = configure_tracing("shop", sample_ratio=1.0, registry=CollectorRegistry())
tracer = provider.get_tracer("test")
tracer.start_span("parent, before").end()
provider.force_flush()  # leaves an open connection behind
workers = []
for worker in ("first", "second"):
    pid = os.fork()
    if pid == 0:
        tracer.start_span(worker).end()
        provider.shutdown()
        os._exit(0)
    workers.append(pid)
for pid in workers:
    os.waitpid(pid, 0)
tracer.start_span("parent, after").end()
"""


def run(code: str, **environment: str) -> None:
    """Run a service of its own until it ends by itself."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code]  # 3.12 warns of forks beside threads
    done = subprocess.run(command, env=inherited | environment, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr


def test_forked_workers_export_their_own_spans_as_themselves() -> None:
    """Where a server loads the app and forks, each process sends its spans once, under its own ids; at exit, too."""
    with otlp_sink() as sink:
        run(FORKING_SERVICE, OTEL_EXPORTER_OTLP_ENDPOINT=sink.url)
        received = sorted(sink.received, key=lambda span: span[1])
        connections = sink.connections
    assert [name for _, name in received] == ["first", "parent, after", "parent, before", "second"]
    first, parent, before, second = (resource for resource, _ in received)
    assert parent == before
    assert len({resource["process.pid"] for resource in (first, parent, second)}) == 3
    assert len({resource["service.instance.id"] for resource in (first, parent, second)}) == 3
    assert {resource["service.name"] for resource, _ in received} == {"shop"}
    # A connection of the parent's would be written to by all of them at once.
    assert all(len(processes) == 1 for processes in connections.values())


def test_a_process_ends_though_its_collector_hangs() -> None:
    """Exit waits a moment for the last spans, not for the timeouts of the exporter, which are a minute here."""
    with otlp_sink(Answer.NEVER_ANSWERS) as sink:
        run(
            "from sereno_telemetry import configure_tracing\n"
            "configure_tracing('shop').get_tracer('test').start_span('last').end()\n",
            OTEL_EXPORTER_OTLP_ENDPOINT=sink.url,
            OTEL_EXPORTER_OTLP_TIMEOUT="60",
        )
