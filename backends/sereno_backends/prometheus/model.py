"""What Prometheus answers, as frozen values; times are aware and UTC, durations are in seconds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of an instant query. `value` may be NaN or infinite: ask `is_finite` before counting with it."""

    labels: Mapping[str, str]
    """Without `__name__`'s special role: the name is in here, when the expression kept it."""
    value: float
    timestamp: datetime
    """The moment that was asked for, not that of the underlying sample."""

    @property
    def is_finite(self) -> bool:
        """Whether the value is a number that can be counted with."""
        return math.isfinite(self.value)

    @property
    def as_moment(self) -> datetime | None:
        """The value as seconds since 1970; None where it is no moment of a calendar."""
        try:
            return datetime.fromtimestamp(self.value, UTC)
        except (ValueError, OverflowError, OSError):
            return None


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a series at one moment; may be NaN or infinite as a `Sample` may."""

    timestamp: datetime
    value: float

    @property
    def is_finite(self) -> bool:
        """Whether the value is a number that can be counted with."""
        return math.isfinite(self.value)


@dataclass(frozen=True, slots=True)
class Series:
    """The points of one set of labels, oldest first."""

    labels: Mapping[str, str]
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """As `Series`, as two lists of plain numbers: for those who compute with millions of points."""

    labels: Mapping[str, str]
    unix_seconds: Sequence[float]
    values: Sequence[float]
    """NaN and infinities included."""


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """An alert that Prometheus holds as pending or firing right now."""

    name: str
    state: str
    """`pending` or `firing`."""
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    active_at: datetime
    """Since when its expression holds: the start of pending, not of firing."""
    value: float


@dataclass(frozen=True, slots=True)
class RecordingRule:
    """A rule that records a series."""

    name: str
    expression: str
    labels: Mapping[str, str]
    health: str
    """`ok`, `err` or `unknown` (not evaluated yet)."""
    last_error: str | None
    last_evaluation: datetime | None
    evaluation_seconds: float


@dataclass(frozen=True, slots=True)
class AlertingRule:
    """A rule that raises alerts."""

    name: str
    expression: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    for_seconds: float
    state: str
    """`inactive`, `pending` or `firing`: the highest among its alerts."""
    alerts: tuple[ActiveAlert, ...]
    health: str
    last_error: str | None
    last_evaluation: datetime | None
    evaluation_seconds: float


Rule: TypeAlias = RecordingRule | AlertingRule


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """A group of rules as loaded from one file."""

    name: str
    file: str
    interval_seconds: float
    rules: tuple[Rule, ...]
