"""What a dead letter in Elasticsearch says of itself, for those who write and those who read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sereno_backends.logs.ecs import lookup

DATASET = "sereno.dead_letter"


@dataclass(frozen=True, slots=True)
class DeadLetterOrigin:
    """Where a refused document came from, and where it should have gone; empty where it isn't known."""

    reason: str
    stream: str
    path: str
    offset: int | None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "DeadLetterOrigin":
        """What a document of the dead-letter stream tells, whoever wrote it."""
        offset = lookup(document, "log.offset")
        return cls(
            reason=str(lookup(document, "error.message") or ""),
            stream=str(lookup(document, "sereno.dead_letter.stream") or ""),
            path=str(lookup(document, "log.file.path") or ""),
            offset=offset if isinstance(offset, int) else None,
        )
