"""The way to an OTLP receiver, by OpenTelemetry's own exporter (the extra `otlp`)."""

import logging
import threading

from opentelemetry.exporter.otlp.proto.http import metric_exporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import MetricExportResult, MetricsData

from sereno_telemetry.processes.push import Send


class _OwnRecords(logging.Filter):
    """Keeps what the exporter logs in one thread: it logs each try, and we log once a minute, with its last words."""

    def __init__(self, thread: int) -> None:
        super().__init__()
        self._thread = thread
        self.last: str | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        if threading.get_ident() != self._thread:
            return True
        self.last = record.getMessage()
        return False


def connect(endpoint: str) -> Send:
    """A way to `endpoint` for the thread that calls this; headers, TLS, timeouts as OTEL_EXPORTER_OTLP_… say."""
    exporter = OTLPMetricExporter(endpoint=endpoint)
    own = _OwnRecords(threading.get_ident())
    logging.getLogger(metric_exporter.__name__).addFilter(own)

    def send(data: MetricsData) -> str | None:
        own.last = None
        if exporter.export(data) is MetricExportResult.SUCCESS:
            return None
        return f"{endpoint}: {own.last or 'failed, nobody said why'}"

    return send
