"""An export request as chunks, such that the same request makes the same documents, however often it is sent; pure."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from sereno_collectors.logs.inputs.otlp.ecs_events import event_of, fields_of
from sereno_collectors.logs.model import Chunk, Format, Origin, OriginKind

LONGEST_EVENT_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What an export request holds."""

    chunks: tuple[Chunk, ...]
    refused: int
    """Records that are longer than an event may be."""


def unpack(request: ExportLogsServiceRequest, read_at: datetime, dataset: str | None = None) -> Unpacked:
    """The events of a request, each a chunk: its offset is the number of equal records before it.

    A sender that repeats records cuts them into other requests, so that a place in the request can't be part of an id.
    Records without any time get an identity of their request: else the same words would be one event for ever.
    """
    chunks: list[Chunk] = []
    equals: Counter[tuple[str, bytes]] = Counter()
    refused = 0
    whole = ""
    for group in request.resource_logs:
        fields = fields_of(group.resource.attributes)
        sender = f"{fields.get('service.name', '')}/{fields.get('service.node.name', '')}"
        for scope_group in group.scope_logs:
            identity = _identity(group.resource, scope_group.scope)
            timeless = ""
            for record in scope_group.log_records:
                event = event_of(record, fields, scope_group.scope.name)
                if len(event) > LONGEST_EVENT_BYTES:
                    refused += 1
                    continue
                own = identity
                if not (record.time_unix_nano or record.observed_time_unix_nano):
                    whole = whole or _digest(request.SerializeToString(deterministic=True))
                    own = timeless = timeless or _digest(f"{identity}\0{whole}".encode())
                origin = Origin(OriginKind.OTLP, sender, own, Format.ECS, dataset=dataset)
                chunks.append(Chunk(origin, equals[own, event], (event,), read_at))
                equals[own, event] += 1
    return Unpacked(tuple(chunks), refused)


def _identity(resource: Resource, scope: InstrumentationScope) -> str:
    """Tells senders apart; attributes in another order are the same sender."""
    parts = (
        *sorted(attribute.SerializeToString(deterministic=True) for attribute in resource.attributes),
        b"scope",
        scope.name.encode(),
        scope.version.encode(),
        *sorted(attribute.SerializeToString(deterministic=True) for attribute in scope.attributes),
    )
    return _digest(b"".join(b"%d:%b" % (len(part), part) for part in parts))


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
