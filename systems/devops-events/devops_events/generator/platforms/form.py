"""What a file of this folder offers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from sereno_collectors.devops.authentication import Scheme

from devops_events.generator.happenings import Happening, Past

Document: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Webhook:
    """What a platform posts, before it is signed."""

    document: Document
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform."""

    scheme: Scheme
    """How it shows who it is."""
    webhook: Callable[[Happening, str], Webhook]
    """What it posts of a happening, by the delivery's id."""
    rest: Callable[[Past], Mapping[str, Any]]
    """What its REST answers, by path."""


def iso(at: datetime) -> str:
    """The time as most platforms write it."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
