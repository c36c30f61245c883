"""OTLP's messages on the wire: protobuf, and JSON as the standard has it; pure.

https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

import base64
import zlib
from enum import StrEnum
from typing import Any

import orjson
from google.protobuf import json_format  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError, Message  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)


class Encoding(StrEnum):
    """How messages are written, by the content type's own word."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


class Malformed(Exception):  # noqa: N818 - reads as what happened
    """A request that is not what its headers say."""


class TooLarge(Exception):  # noqa: N818
    """A request that is longer than allowed when it is unpacked."""


def decompress(data: bytes, most_bytes: int) -> bytes:
    """What gzip has packed.

    Raises:
        Malformed: it is no gzip, or not a whole one.
        TooLarge: it would be longer than `most_bytes`.
    """
    unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        unpacked = unpacker.decompress(data, most_bytes + 1)
    except zlib.error as error:
        raise Malformed(f"the body is no gzip: {error}") from error
    if len(unpacked) > most_bytes:
        raise TooLarge
    if not unpacker.eof:
        raise Malformed("the body is a part of a gzip only")
    return unpacked


def parse_request(body: bytes, encoding: Encoding) -> ExportLogsServiceRequest:
    """The request that a body holds.

    Raises:
        Malformed: it holds none.
    """
    request = ExportLogsServiceRequest()
    try:
        if encoding is Encoding.PROTOBUF:
            request.ParseFromString(body)
        else:
            json_format.ParseDict(_with_base64_ids(orjson.loads(body)), request, ignore_unknown_fields=True)
    except (DecodeError, json_format.ParseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Malformed(f"the body is no ExportLogsServiceRequest: {error}") from error
    return request


def answer(refused: int, why: str, encoding: Encoding) -> bytes:
    """The body of a 200: nothing, or how many records were refused."""
    response = ExportLogsServiceResponse()
    if refused:
        response.partial_success.CopyFrom(ExportLogsPartialSuccess(rejected_log_records=refused, error_message=why))
    return _written(response, encoding)


def trouble(message: str, encoding: Encoding) -> bytes:
    """The body of every other answer."""
    return _written(Status(message=message), encoding)


def _written(message: Message, encoding: Encoding) -> bytes:
    if encoding is Encoding.PROTOBUF:
        return bytes(message.SerializeToString())
    return str(json_format.MessageToJson(message, indent=None)).encode()


def _with_base64_ids(document: Any) -> Any:
    """OTLP writes trace and span ids in hex where protobuf's JSON has base64.

    Raises:
        ValueError, TypeError, AttributeError: the document has another shape.
    """
    for resource_logs in document.get("resourceLogs", ()):
        for scope_logs in resource_logs.get("scopeLogs", ()):
            for record in scope_logs.get("logRecords", ()):
                for name in ("traceId", "spanId"):
                    if record.get(name):
                        record[name] = base64.b64encode(bytes.fromhex(record[name])).decode()
    return document
