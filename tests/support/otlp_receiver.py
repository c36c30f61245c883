"""A stand-in for an OTLP receiver (Prometheus 3, a Collector) on loopback: it decodes what is sent and remembers it.

That Prometheus 3 stores these messages under the names of `/metrics` was tried by hand, see docs/telemetry.md.
"""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

Attributes = tuple[tuple[str, str], ...]


@dataclass
class Instance:
    """The last message of one process."""

    service: str
    metrics: dict[str, Metric]

    def value(self, name: str, **labels: str) -> float | None:
        """The value of one series, a histogram's count; None if it isn't there."""
        metric = self.metrics.get(name)
        if metric is None:
            return None
        kind = metric.WhichOneof("data") or "gauge"
        for point in getattr(metric, kind).data_points:
            if {each.key: each.value.string_value for each in point.attributes} == labels:
                return float(point.count if kind == "histogram" else point.as_double)
        return None


@dataclass
class Receiver:
    """What has arrived, by `service.instance.id`."""

    url: str = ""
    instances: dict[str, Instance] = field(default_factory=dict)
    messages: int = 0
    answering: threading.Event = field(default_factory=threading.Event)
    """Clear it, and messages are accepted but not answered."""

    def take(self, body: bytes) -> int:
        """Remember a message; the code to answer with: like Prometheus, 500 if a metric has no points."""
        self.messages += 1
        for sent in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            resource = {each.key: each.value.string_value for each in sent.resource.attributes}
            metrics = {metric.name: metric for scope in sent.scope_metrics for metric in scope.metrics}
            if any(metric.WhichOneof("data") is None for metric in metrics.values()):
                return 500
            self.instances[resource["service.instance.id"]] = Instance(resource["service.name"], metrics)
        return 200


@contextmanager
def otlp_receiver() -> Iterator[Receiver]:
    """A receiver on a free port."""
    receiver = Receiver()
    receiver.answering.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            code = receiver.take(gzip.decompress(body) if self.headers["content-encoding"] == "gzip" else body)
            receiver.answering.wait(60)
            answer = ExportMetricsServiceResponse().SerializeToString()
            self.send_response(code)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        receiver.url = f"http://127.0.0.1:{server.server_port}/v1/metrics"
        try:
            yield receiver
        finally:
            receiver.answering.set()
            server.shutdown()
            thread.join(10)
