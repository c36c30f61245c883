"""OTLP log records as events in ECS JSON; pure.

Names by https://opentelemetry.io/docs/specs/semconv and https://www.elastic.co/docs/reference/ecs; what ECS has no
field for goes below `labels`, as flat strings.
"""

import base64
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

SAME_NAME = (
    "cloud.account.id",
    "cloud.availability_zone",
    "cloud.provider",
    "cloud.region",
    "container.id",
    "container.image.name",
    "container.name",
    "error.type",
    "event.action",
    "event.dataset",
    "host.id",
    "host.name",
    "service.name",
    "service.node.name",
    "service.version",
)
"""Attributes that ECS calls the same; strings."""
RENAMED = {
    "code.file.path": "log.origin.file.name",
    "code.filepath": "log.origin.file.name",
    "code.function": "log.origin.function",
    "code.function.name": "log.origin.function",
    "deployment.environment": "service.environment",
    "deployment.environment.name": "service.environment",
    "exception.message": "error.message",
    "exception.stacktrace": "error.stack_trace",
    "exception.type": "error.type",
    "k8s.cluster.name": "orchestrator.cluster.name",
    "k8s.container.name": "container.name",
    "k8s.namespace.name": "orchestrator.namespace",
    "k8s.pod.name": "orchestrator.resource.name",
    "service.instance.id": "service.node.name",
    "thread.name": "process.thread.name",
}
"""Attributes that ECS calls otherwise; strings. What stands under ECS's own name wins."""
NUMBERS = {
    "code.line.number": "log.origin.file.line",
    "code.lineno": "log.origin.file.line",
    "event.sequence": "event.sequence",
    "process.pid": "process.pid",
    "thread.id": "process.thread.id",
}
"""Attributes that are integers in ECS."""
_STRINGS = {name: name for name in SAME_NAME} | RENAMED

_DEBUG_TO, _INFO_TO, _WARNING_TO, _ERROR_TO = 8, 12, 16, 20
"""Severity numbers: https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber."""
_LEVELS = {
    "critical": "critical",
    "debug": "debug",
    "err": "error",
    "error": "error",
    "fatal": "critical",
    "trace": "debug",
    "warn": "warning",
    "warning": "warning",
}
_TRACE_ID_BYTES, _SPAN_ID_BYTES = 16, 8
_SECOND_NS, _MILLISECOND_NS = 1_000_000_000, 1_000_000


def event_of(record: LogRecord, origin: Mapping[str, Any], logger: str) -> bytes:
    """The event of a record: one JSON object in one line.

    Args:
        record: as it was sent.
        origin: what `fields_of` made of the resource.
        logger: the name of the instrumentation scope; empty where it has none.
    """
    own = fields_of(record.attributes)
    body = plain(record.body)
    event: dict[str, Any] = {}
    nanoseconds = record.time_unix_nano or record.observed_time_unix_nano
    if nanoseconds:
        event["@timestamp"] = timestamp(nanoseconds)
    event["log.level"] = _level(record)
    event["message"] = body if isinstance(body, str) else "" if body is None else orjson.dumps(body).decode()
    if logger:
        event["log.logger"] = logger
    event |= {name: value for name, value in origin.items() if name != "labels"}
    event |= {name: value for name, value in own.items() if name != "labels"}
    if len(record.trace_id) == _TRACE_ID_BYTES and any(record.trace_id):
        event["trace.id"] = record.trace_id.hex()
    if len(record.span_id) == _SPAN_ID_BYTES and any(record.span_id):
        event["span.id"] = record.span_id.hex()
    if record.event_name:
        event.setdefault("event.action", record.event_name)
    of_body = {f"body.{name}": _label(value) for name, value in body.items()} if isinstance(body, dict) else {}
    labels = {**origin.get("labels", {}), **of_body, **own.get("labels", {})}
    if labels:
        event["labels"] = labels
    return orjson.dumps(event)


def fields_of(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    """Attributes by their ECS names, the others below `labels`."""
    fields: dict[str, Any] = {}
    labels: dict[str, str] = {}
    for attribute in attributes:
        name, value = attribute.key, plain(attribute.value)
        string, number = _STRINGS.get(name), NUMBERS.get(name)
        if string is not None and isinstance(value, str) and value:
            if string == name or string not in fields:
                fields[string] = value
        elif number is not None and type(value) is int:
            fields[number] = value
        elif value is not None:
            labels[name] = _label(value)
    if "orchestrator.resource.name" in fields:
        fields |= {"orchestrator.type": "kubernetes", "orchestrator.resource.type": "pod"}
    return fields | ({"labels": labels} if labels else {})


def timestamp(nanoseconds: int) -> str:
    """Nanoseconds since 1970 in RFC 3339, with milliseconds, or with nanoseconds where it has them."""
    seconds, fraction = divmod(nanoseconds, _SECOND_NS)
    moment = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    if fraction % _MILLISECOND_NS:
        return f"{moment}.{fraction:09d}Z"
    return f"{moment}.{fraction // _MILLISECOND_NS:03d}Z"


def plain(value: AnyValue) -> Any:
    """What a value is in JSON; bytes are base64, None is none at all."""
    match value.WhichOneof("value"):
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case "array_value":
            return [plain(item) for item in value.array_value.values]
        case "kvlist_value":
            return {item.key: plain(item.value) for item in value.kvlist_value.values}
        case None | "string_value_strindex":  # an index into a table that only profiles have
            return None
        case scalar:
            return getattr(value, scalar)


def _label(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _level(record: LogRecord) -> str:
    number = record.severity_number
    if number <= 0:
        return _LEVELS.get(record.severity_text.lower(), "info")
    for level, highest in (("debug", _DEBUG_TO), ("info", _INFO_TO), ("warning", _WARNING_TO), ("error", _ERROR_TO)):
        if number <= highest:
            return level
    return "critical"
