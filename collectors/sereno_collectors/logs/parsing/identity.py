"""The ids of events: the same event has the same id, always. They must never change between versions of Sereno."""

import hashlib
from collections.abc import Mapping
from typing import Any

from sereno_backends.logs.ecs import lookup


def record_id(identity: str, offset: int, content: bytes, document: Mapping[str, Any] | None) -> str:
    """The id of an event.

    Lines that name their process and their place in its sequence are the same wherever they are read from, so that a
    copy of a file is no second set of records; others are told apart by file and offset. The content is part of both:
    no mistake about processes or files can take one line for another.

    Args:
        identity: of the origin.
        offset: where the event stands in it.
        content: the event as it was read, without line ends at its end.
        document: what the content says, where it is a JSON object.
    """
    if document is not None:
        node, sequence = lookup(document, "service.node.name"), lookup(document, "event.sequence")
        if isinstance(node, str) and isinstance(sequence, int):
            start, pid = lookup(document, "process.start"), lookup(document, "process.pid")
            source = source_of(lookup(document, "service.name"), node, start, pid)
            return digest(source, sequence, content)
    return digest(identity.encode(errors="surrogatepass"), offset, content)


def source_of(service: object, node: str, start: object, pid: object) -> bytes:
    """What stands for a process in the ids of its lines."""
    return f"{service}\0{node}\0{(start, pid)}".encode(errors="surrogatepass")


def digest(source: bytes, place: int, content: bytes) -> str:
    """The id made of its three parts."""
    return hashlib.blake2b(b"%b\0%b\0%b" % (source, str(place).encode(), content), digest_size=16).hexdigest()
