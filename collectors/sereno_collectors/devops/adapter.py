"""What a file below `providers/` offers: how its deliveries are authenticated, named and read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sereno_backends.devops import Provider

from sereno_collectors.devops.authentication import Scheme
from sereno_collectors.devops.model import Conventions, Fact, Ignored, Message
from sereno_collectors.devops.reading import Reader

Translator: TypeAlias = Callable[[Reader, Conventions], tuple[Fact, ...] | Ignored]
"""Pure; raises `Misfit` where the body isn't shaped as it should be."""


@dataclass(frozen=True, slots=True)
class ProviderAdapter:
    """One provider."""

    provider: Provider
    schemes: tuple[Scheme, ...]
    """The strongest first."""
    event_type: Callable[[Message], str]
    """How the provider names what it tells of; empty where it doesn't."""
    delivery_id: Callable[[Message], str | None]
    """The provider's id of the delivery, the same when it is sent again; None where there is none."""
    translators: Mapping[str, Translator]
    """By event type; a delivery of another type is ignored."""
