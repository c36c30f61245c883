"""What the stages of the receiver hand to each other: a message comes in, facts come out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeAlias

from sereno_backends.devops import Provider, Subject

PRODUCTION_PATTERNS = ("production", "production[-_/ ]*", "prod", "prod[-_/ ]*", "live")
"""Names of environments (in lower case) that are production where neither configuration nor provider says so."""


@dataclass(frozen=True, slots=True)
class Conventions:
    """How a source's users call things; what a provider's webhook can't say."""

    services: Mapping[str, str] = field(default_factory=dict)
    """Pattern of repositories → service; the first that matches. Others are named like the repository's last part."""
    production: tuple[str, ...] | None = None
    """Patterns of environments that are production; None: what the provider says, else the usual names."""
    deployments: Mapping[str, str] = field(default_factory=dict)
    """Pattern of pipelines → environment: runs of these pipelines are deployments there."""
    incident_labels: tuple[str, ...] = ("incident",)
    """Issues and work items with one of these labels are incidents."""

    def service_of(self, repository: str) -> str:
        """The service that a repository is mapped to.

        >>> Conventions().service_of("acme/Shop_API")
        'shop-api'
        """
        for pattern, service in self.services.items():
            if fnmatchcase(repository, pattern):
                return service
        last = repository.rstrip("/").rpartition("/")[2]
        return re.sub(r"[^a-z0-9]+", "-", last.lower()).strip("-") or "unknown"

    def is_production(self, environment: str, told: bool | None = None) -> bool:
        """Whether an environment counts as production; `told` is what the provider says of it."""
        if self.production is not None:
            return any(fnmatchcase(environment, pattern) for pattern in self.production)
        if told is not None:
            return told
        return any(fnmatchcase(environment.lower(), pattern) for pattern in PRODUCTION_PATTERNS)

    def deployed_by(self, pipeline: str) -> str | None:
        """The environment that runs of this pipeline deploy to; None where they deploy nothing."""
        found = (where for pattern, where in self.deployments.items() if fnmatchcase(pipeline, pattern))
        return next(found, None)

    def is_incident(self, labels: tuple[str, ...]) -> bool:
        """Whether an issue with these labels is an incident."""
        wanted = {label.lower() for label in self.incident_labels}
        return any(label.lower() in wanted for label in labels)


@dataclass(frozen=True, slots=True)
class Source:
    """One sender of webhooks, by its name in the configuration."""

    name: str
    provider: Provider
    secret_files: tuple[Path, ...]
    """One secret each; several are valid at once, so that secrets can be rotated."""
    conventions: Conventions = field(default_factory=Conventions)


@dataclass(frozen=True, slots=True)
class Message:
    """An authentic delivery, read as JSON."""

    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    document: Any


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a delivery tells."""

    repository: str
    occurred_at: datetime | None
    """By the provider; None where it tells no time."""
    subject: Subject


@dataclass(frozen=True, slots=True)
class Translated:
    """What a delivery tells."""

    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Ignored:
    """The delivery tells nothing that the schema has a place for."""

    reason: str


@dataclass(frozen=True, slots=True)
class UnknownSchema:
    """The delivery is of a type that is known, but not shaped as it should be."""

    reason: str


Translation: TypeAlias = Translated | Ignored | UnknownSchema
