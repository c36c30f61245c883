"""A clock by hand, spans in memory and the far end of pushes, for tests of workers."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
SAMPLED = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
UNSAMPLED = {"traceparent": f"00-{TRACE}-{SPAN}-00"}


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_795_374_000.0

    def __call__(self) -> float:
        """Seconds since the epoch."""
        return self.now


@dataclass(frozen=True)
class Tracing:
    """A provider and what it has finished."""

    provider: TracerProvider
    _exporter: InMemorySpanExporter

    def spans(self) -> Sequence[ReadableSpan]:
        """The finished spans, in the order of their ends."""
        return self._exporter.get_finished_spans()

    def only(self) -> ReadableSpan:
        """The one span that was finished."""
        (span,) = self.spans()
        return span


def trace_id(span: ReadableSpan) -> str:
    """The span's trace id, as in logs."""
    assert span.context is not None
    return trace.format_trace_id(span.context.trace_id)


def current_ids() -> tuple[str, str]:
    """Trace id and span id that a log line would carry here."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)


@contextmanager
def push_sink() -> Iterator[tuple[str, list[str]]]:
    """A server that keeps the text of each POST, as a Pushgateway takes them: its address, and the texts so far."""
    texts: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            texts.append(self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode())
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", texts
        finally:
            server.shutdown()
            thread.join()


class TransientError(Exception):
    """Worth another try."""


class MalformedError(Exception):
    """Never worth one."""
