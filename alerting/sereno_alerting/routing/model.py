"""A case, and what a real Alertmanager did with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sereno_slo.diagnostics import Span

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Case:
    """One alert, and what shall become of it."""

    name: str
    span: Span
    labels: Labels
    given: tuple[Labels, ...] = ()
    receivers: frozenset[str] | None = None
    """None: whichever."""
    inhibited: bool = False
    at: datetime | None = None
    """None: business hours don't matter."""
    muted: bool | frozenset[str] = False
    """All of its receivers, none, or these."""


@dataclass(frozen=True, slots=True)
class CaseFile:
    """The cases of a file, and the configuration that they are about; None: the repository's."""

    path: str
    configuration: Path | None
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Observation:
    """What became of a case's alert."""

    routes: frozenset[int]
    """Numbers of the routes that it ended in (sereno_alerting.routing.tree)."""
    inhibited_by: tuple[Labels, ...]
    told: frozenset[int]
    """Numbers of the routes whose receivers were told."""
