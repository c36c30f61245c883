"""How outgoing calls fare: three histograms, named and labelled by OpenTelemetry's semantic conventions (1.37).

Which one counts a call, and under which labels, follows from the attributes of its span. The instrumentations use the
old names or the new ones as OTEL_SEMCONV_STABILITY_OPT_IN says; both are understood.
"""

import re
from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry

from sereno_telemetry.metrics.buckets import DEFAULT_BUCKETS
from sereno_telemetry.metrics.families import HistogramChild, HistogramFamily

# The advice of the semantic conventions for db.client.operation.duration, in seconds.
DATABASE_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)

MOST_SERVERS = 50
MOST_STATUS_CODES = 70
MOST_DATABASES = 30
MOST_OPERATIONS = 100
MOST_DESTINATIONS = 100
MOST_ERROR_TYPES = 50

OTHER = "_OTHER"
TEMPORARY = "_TEMPORARY"
"""The destination of a queue whose name the broker made up."""

_HTTP_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"})
_FIRST_ERROR_CODE = 400  # a client counts 4xx as its errors, too (semantic conventions "HTTP spans", section "Status")

_ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "method": ("http.request.method", "http.method"),
    "server": ("server.address", "net.peer.name", "http.host"),
    "url": ("url.full", "http.url"),
    "code": ("http.response.status_code", "http.status_code"),
    "database_system": ("db.system.name", "db.system"),
    "namespace": ("db.namespace", "db.name"),
    "database_operation": ("db.operation.name", "db.operation"),
    "query": ("db.query.text", "db.statement"),
    "pipeline": ("db.redis.pipeline_length",),
    "messaging_system": ("messaging.system",),
    "messaging_operation": ("messaging.operation.name", "messaging.operation.type", "messaging.operation"),
    "destination": ("messaging.destination.name", "messaging.destination"),
    # Not messaging.temp_destination: the instrumentations of pika and aio-pika set it on every publication.
    "temporary": ("messaging.destination.temporary",),
    "error": ("error.type",),
}
MEANINGS: Mapping[str, str] = {name: meaning for meaning, names in _ATTRIBUTES.items() for name in names}
"""Attributes of spans that decide about metrics and labels, and what each one means here."""

# The first word after blanks, comments and brackets; nothing further of a statement is ever looked at.
_FIRST_WORD = re.compile(r"(?:[\s(]|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*([A-Za-z][A-Za-z0-9_.]{0,39})(?![A-Za-z0-9_.])")
_HOST_IN_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]+)")
_LONGEST_LOOK = 1_000


class ClientMetrics:
    """The histograms of outgoing calls in one registry, by `client_metrics`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._http = HistogramFamily(
            registry,
            "http_client_request_duration_seconds",
            "Duration of HTTP client requests, up to the head of the answer.",
            {
                "http_request_method": None,
                "server_address": MOST_SERVERS,
                "http_response_status_code": MOST_STATUS_CODES,
                "error_type": MOST_ERROR_TYPES,
            },
            DEFAULT_BUCKETS,
        )
        self._database = HistogramFamily(
            registry,
            "db_client_operation_duration_seconds",
            "Duration of database client operations.",
            {
                "db_system_name": MOST_DATABASES,
                "db_namespace": MOST_DATABASES,
                "db_operation_name": MOST_OPERATIONS,
                "error_type": MOST_ERROR_TYPES,
            },
            DATABASE_BUCKETS,
        )
        self._messaging = HistogramFamily(
            registry,
            "messaging_client_operation_duration_seconds",
            "Duration of messaging operations that a producer or consumer client began.",
            {
                "messaging_system": MOST_DATABASES,
                "messaging_operation_name": MOST_OPERATIONS,
                "messaging_destination_name": MOST_DESTINATIONS,
                "error_type": MOST_ERROR_TYPES,
            },
            DEFAULT_BUCKETS,
        )

    def observe(self, call: Mapping[str, Any], error: str, seconds: float, trace_id: str | None) -> None:
        """Count one call by what its attributes mean (keys as in `MEANINGS`); calls of other kinds are not counted.

        `error` is the type of what went wrong, or empty; `trace_id` becomes an exemplar.
        """
        histogram = self._histogram(call, error)
        if histogram is not None:
            histogram.observe(seconds, trace_id)

    def _histogram(self, call: Mapping[str, Any], error: str) -> HistogramChild | None:
        if "method" in call:
            return self._http.child(*_http_labels(call, error))
        if "database_system" in call:
            return self._database.child(*_database_labels(call, error))
        if "messaging_system" in call:
            return self._messaging.child(*_messaging_labels(call, error))
        return None


def _http_labels(call: Mapping[str, Any], error: str) -> tuple[str, ...]:
    method = str(call["method"])
    code = call.get("code", "")
    if error in ("", OTHER) and isinstance(code, int) and code >= _FIRST_ERROR_CODE:
        error = str(code)
    return method if method in _HTTP_METHODS else OTHER, _server(call), str(code), error


def _server(call: Mapping[str, Any]) -> str:
    if "server" in call:
        return str(call["server"])
    match = _HOST_IN_URL.match(str(call.get("url", "")), 0, _LONGEST_LOOK)
    return match[1] if match else ""


def _database_labels(call: Mapping[str, Any], error: str) -> tuple[str, ...]:
    return str(call["database_system"]), str(call.get("namespace", "")), _database_operation(call), error


def _database_operation(call: Mapping[str, Any]) -> str:
    if "pipeline" in call:
        return "PIPELINE"
    return operation_of(str(call.get("database_operation") or call.get("query", "")))


def operation_of(statement: str) -> str:
    """What a statement does, by its first word in capitals: `SELECT`, `HGETALL`; `_OTHER` if it doesn't begin so."""
    match = _FIRST_WORD.match(statement, 0, _LONGEST_LOOK)
    return match[1].upper() if match else OTHER


def _messaging_labels(call: Mapping[str, Any], error: str) -> tuple[str, ...]:
    destination = str(call.get("destination", "")).lstrip(",")  # aio-pika: "exchange,routing key"
    if call.get("temporary") or destination.startswith("amq.gen-"):
        destination = TEMPORARY
    return str(call["messaging_system"]), str(call.get("messaging_operation", "publish")), destination, error


_KEPT = "_sereno_telemetry_clients"


def client_metrics(registry: CollectorRegistry) -> ClientMetrics:
    """The client metrics of `registry`, made at the first call.

    Raises:
        ValueError: something else has registered a metric of one of these names.
    """
    known = getattr(registry, _KEPT, None)
    if not isinstance(known, ClientMetrics):
        known = ClientMetrics(registry)
        setattr(registry, _KEPT, known)  # on the registry itself: it lives exactly as long
    return known
