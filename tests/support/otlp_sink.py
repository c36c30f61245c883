"""A collector of spans on loopback, with the ways in which collectors fail."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Answer(Enum):
    """How a collector treats what it is sent."""

    ACCEPTS = "accepts"
    ANSWERS_500 = "answers 500"
    NEVER_ANSWERS = "never answers"


class OtlpSink(ThreadingHTTPServer):
    """Takes OTLP/HTTP traces on a free port and keeps their spans."""

    daemon_threads = True

    def __init__(self, answer: Answer = Answer.ACCEPTS) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.closing = threading.Event()
        self.received: list[tuple[dict[str, Any], str]] = []
        self.connections: dict[Any, set[Any]] = {}
        """Processes (by id) that sent on each connection."""

    @property
    def url(self) -> str:
        """The base URL, as OTEL_EXPORTER_OTLP_ENDPOINT wants it."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that left."""


class _Handler(BaseHTTPRequestHandler):
    server: OtlpSink
    protocol_version = "HTTP/1.1"  # keeps connections open

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.server.answer is Answer.NEVER_ANSWERS:
            self.server.closing.wait(60)
            return
        if self.server.answer is Answer.ACCEPTS:
            for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                resource = {
                    attribute.key: attribute.value.int_value or attribute.value.string_value
                    for attribute in of_resource.resource.attributes
                }
                sent_by = self.server.connections.setdefault(self.client_address, set())
                sent_by.add(resource.get("process.pid"))
                for of_scope in of_resource.scope_spans:
                    self.server.received += [(resource, span.name) for span in of_scope.spans]
        self.send_response(200 if self.server.answer is Answer.ACCEPTS else 500)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Keep the tests' output clean."""


@contextmanager
def otlp_sink(answer: Answer = Answer.ACCEPTS) -> Iterator[OtlpSink]:
    """A collector that runs within the block."""
    with OtlpSink(answer) as sink:
        thread = threading.Thread(target=sink.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield sink
        finally:
            sink.closing.set()
            sink.shutdown()
            thread.join(10)
