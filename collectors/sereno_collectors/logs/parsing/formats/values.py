"""What recognising a line gives, and what it may look at."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any


@dataclass(frozen=True, slots=True)
class ReadingContext:
    """What a line does not say itself."""

    read_at: datetime
    """Aware. Gives the year to times that have none."""
    zone: tzinfo = UTC
    """Of times that name no zone."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a line says, by the names of ECS."""

    fields: Mapping[str, Any]
    """Dotted names; what is no field of ECS has the name that the line gave it."""
    timestamp: datetime | None = None
    """UTC; None where the line names no time that a store keeps."""
