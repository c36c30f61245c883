"""Commands of redis-py, to an answerer that speaks just enough of Redis' protocol: keys and values are in no label."""

import asyncio
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping

import pytest
import redis
import redis.asyncio
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from redis.backoff import NoBackoff
from redis.retry import Retry
from sereno_telemetry import ClientInstrumentation
from support.ports import free_port

Instrument = Callable[..., ClientInstrumentation]
Counted = Callable[[str], Mapping[tuple[str, ...], float]]

METRIC = "db_client_operation_duration_seconds"  # labels: system, namespace, operation, error


class _Answerer(socketserver.StreamRequestHandler):
    """No Redis: it answers GET with a value, LPUSH with Redis' error for a wrong type, all else with OK."""

    def handle(self) -> None:
        while header := self.rfile.readline():
            words = []
            for _ in range(int(header[1:])):
                length = int(self.rfile.readline()[1:])
                words.append(self.rfile.read(length + 2)[:-2])
            self.wfile.write(self._answer(words[0].upper()))

    def _answer(self, command: bytes) -> bytes:
        match command:
            case b"GET":
                return b"$5\r\nvalue\r\n"
            case b"LPUSH":
                return b"-WRONGTYPE wrong kind of value\r\n"
            case b"EXEC":  # a key that was watched has changed
                return b"*-1\r\n"
            case _:
                return b"+OK\r\n"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where the answerer listens."""

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), _Answerer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join(10)


def test_unsampled_commands_are_counted(
    port: int, instrumented: Instrument, not_sampling: TracerProvider, counted: Counted, spans: InMemorySpanExporter
) -> None:
    """A command is one, a pipeline is one; both clients' answers and errors are as ever."""
    instrumented(not_sampling)

    async def ask() -> None:
        async with redis.asyncio.Redis(port=port, protocol=2) as client:
            assert await client.get("customer:7") == b"value"
            with pytest.raises(redis.ResponseError):
                await client.lpush("customer:7", "secret")

    with redis.Redis(port=port, protocol=2) as client:
        assert client.get("customer:7") == b"value"
        with pytest.raises(redis.ResponseError):
            client.lpush("customer:7", "secret")
        assert client.pipeline(transaction=False).get("a").get("b").execute() == [b"value", b"value"]
    asyncio.run(ask())
    by_command = {(operation, error): value for (_, _, operation, error), value in counted(METRIC).items()}
    assert by_command == {("GET", ""): 2, ("LPUSH", "ResponseError"): 2, ("PIPELINE", ""): 1}
    assert {system for system, *_ in counted(METRIC)} == {"redis"}
    assert spans.get_finished_spans() == ()


def test_a_transaction_to_be_tried_again_is_no_error(
    port: int, instrumented: Instrument, not_sampling: TracerProvider, counted: Counted
) -> None:
    """A watched key that changed is how Redis is used; the application gets its WatchError."""
    instrumented(not_sampling)
    with redis.Redis(port=port, protocol=2) as client, client.pipeline() as pipeline:
        pipeline.watch("customer:7")
        pipeline.multi()
        pipeline.set("customer:7", "secret")
        with pytest.raises(redis.WatchError):
            pipeline.execute()
    assert {(operation, error) for _, _, operation, error in counted(METRIC)} == {("WATCH", ""), ("PIPELINE", "")}


def test_a_sampled_command_is_a_span(
    port: int, instrumented: Instrument, sampling: TracerProvider, spans: InMemorySpanExporter
) -> None:
    """By OpenTelemetry's instrumentation, which keeps the values out."""
    instrumented(sampling)
    with redis.Redis(port=port, protocol=2) as client:
        client.set("customer:7", "secret")
    (span,) = [span for span in spans.get_finished_spans() if span.name == "SET"]
    assert "secret" not in str(span.attributes)


def test_a_server_that_is_away_is_an_error_of_its_type(
    instrumented: Instrument, not_sampling: TracerProvider, counted: Counted
) -> None:
    """A refused connection counts by its exception, which goes its way."""
    instrumented(not_sampling)
    with redis.Redis(port=free_port(), retry=Retry(NoBackoff(), 0)) as client, pytest.raises(redis.ConnectionError):
        client.get("customer:7")
    ((_, _, operation, error),) = counted(METRIC)
    assert (operation, error) == ("GET", "ConnectionError")
