"""What travels with a message: the trace context and the time when it was enqueued, as headers of plain text.

What comes in was written by somebody else: values of wrong types and long ones are as good as absent, never an error.
"""

import base64
import contextlib
import math
import re
from collections.abc import Mapping
from typing import Any

import orjson
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import Getter

ENQUEUED_AT = "sereno-enqueued-at"
"""Header with the time of enqueueing: seconds since the epoch as decimal text, by the sender's clock."""

MOST_CHARACTERS = 8192
"""Of a header that is read; longer ones are ignored (a `baggage` may have 8192, W3C Baggage, section 3.3.2)."""

MOST_SQS_ATTRIBUTES = 10
"""A message of SQS has at most so many attributes; what comes after them is refused by AWS, with the message."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_ENVELOPE_START = b'{"sereno-envelope"'
_IMPLAUSIBLE_AGE_SECONDS = 10 * 365 * 86_400.0


class Headers(dict[str, Any]):
    """Headers of an outgoing message: a plain dictionary, as pika, aio-pika and Redis streams take it."""

    def envelope(self, body: bytes | str) -> bytes:
        """`body` with these headers as one payload, for transports without headers (Redis lists).

        JSON: `{"sereno-envelope":1,"headers":{…},"text":"…"}`; a body that isn't UTF-8 is `"base64"` instead.
        """
        document: dict[str, object] = {"sereno-envelope": 1, "headers": {k: str(v) for k, v in self.items()}}
        raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
        try:
            document["text"] = raw.decode()
        except UnicodeDecodeError:
            document["base64"] = base64.b64encode(raw).decode()
        return orjson.dumps(document)

    def sqs_attributes(self) -> dict[str, dict[str, str]]:
        """These headers as `MessageAttributes` of SQS and SNS, at most ten."""
        items = list(self.items())[:MOST_SQS_ATTRIBUTES]
        return {name: {"DataType": "String", "StringValue": str(value)} for name, value in items}


def opened(payload: bytes | str) -> tuple[Mapping[str, Any], bytes | str]:
    """Headers and body of an envelope; a payload that is none has no headers, and is its own body, as it is."""
    with contextlib.suppress(ValueError, TypeError, AttributeError):
        raw = payload.encode() if isinstance(payload, str) else payload
        if raw.startswith(_ENVELOPE_START):
            document = orjson.loads(raw)
            if document["sereno-envelope"] != 1:
                return {}, payload
            headers = document["headers"] if isinstance(document.get("headers"), dict) else {}
            if isinstance(document.get("text"), str):
                return headers, document["text"] if isinstance(payload, str) else document["text"].encode()
            if isinstance(document.get("base64"), str):
                return headers, base64.b64decode(document["base64"], validate=True)
    return {}, payload


class _HeaderGetter(Getter[Mapping[Any, Any]]):
    """Reads headers for OpenTelemetry's propagators; Redis has bytes on both sides."""

    def get(self, carrier: Mapping[Any, Any], key: str) -> list[str] | None:
        value = header(carrier, key)
        return None if value is None else [value]

    def keys(self, carrier: Mapping[Any, Any]) -> list[str]:
        return [key for key in carrier if isinstance(key, str)]


_GETTER = _HeaderGetter()


def header(headers: Mapping[Any, Any], name: str) -> str | None:
    """The text of a header; None where it is absent, longer than `MOST_CHARACTERS`, or no text.

    Halves of surrogate pairs, as clients make them of bytes that are no UTF-8, are no text: propagators would fail.
    """
    value = headers.get(name)
    if value is None:
        value = headers.get(name.encode())
    if isinstance(value, bytes) and len(value) <= MOST_CHARACTERS:
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str) or len(value) > MOST_CHARACTERS:
        return None
    return None if _SURROGATE.search(value) else value


def context_of(headers: Mapping[Any, Any]) -> Context:
    """The trace context (and baggage) that headers carry, by the process's propagators; empty where they carry none."""
    return propagate.extract(headers, context=Context(), getter=_GETTER)


def span_context_of(context: Context) -> trace.SpanContext:
    """The span context in `context`; an invalid one where there is none."""
    return trace.get_current_span(context).get_span_context()


def enqueued_at_seconds(headers: Mapping[Any, Any]) -> float | None:
    """When the sender enqueued the message, seconds since the epoch; None if it didn't say, or not in numbers."""
    text = header(headers, ENQUEUED_AT)
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        return None


def age_seconds(enqueued_at: float | None, now: float) -> float | None:
    """How old a message is. Clocks that disagree never make it negative; what is no time of our days is None."""
    if enqueued_at is None or not math.isfinite(enqueued_at):
        return None
    age = now - enqueued_at
    return max(0.0, age) if age < _IMPLAUSIBLE_AGE_SECONDS else None


def carries_context(headers: Mapping[Any, Any]) -> bool:
    """Whether somebody has put a trace context in already."""
    return any(name in headers for name in propagate.get_global_textmap().fields)
