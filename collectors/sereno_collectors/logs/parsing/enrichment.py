"""What is added to every document of a collector."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Enrichment:
    """Static fields; what an event says itself wins, tags are added to its own."""

    host: str | None = None
    """`host.name` of events that name none."""
    labels: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
