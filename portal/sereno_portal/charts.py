"""What a chart is, whoever draws it: the JSON that `static/charts.js` gets and the page's own words for it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sereno_backends.prometheus import Columns

from sereno_portal.gateway import Span


class Hue(StrEnum):
    """Colours by what they mean; static/portal.css says how they look, told apart without red and green, too."""

    PLAIN = "plain"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a value for each of the chart's times, None where there is none."""

    label: str
    values: tuple[float | None, ...]
    hue: Hue | None = None
    """None: the next of the palette."""
    dashed: bool = False
    right: bool = False
    """On an axis of its own, on the right."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A dashed line across the whole chart."""

    value: float
    label: str
    hue: Hue = Hue.BAD


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at a moment, or lasted until another one; Unix seconds."""

    at: float
    label: str
    hue: Hue = Hue.OTHER
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over the same times."""

    title: str
    unit: str
    """One of Grafana's unit ids (`percentunit`, `s`, `short`, `cpm`, …) or `suffix:` and a text."""
    times: tuple[float, ...]
    """Unix seconds, ascending."""
    lines: tuple[Line, ...]
    bounds: tuple[Bound, ...] = ()
    marks: tuple[Mark, ...] = ()
    empty: str = ""
    """What is said where there is no line."""
    minimum: float | None = None
    maximum: float | None = None
    """The axis reaches so far at least."""
    decimals: int | None = None
    """Of the figures in words; None: as many as are needed."""
    right_unit: str = ""
    """Of the axis on the right; empty: the same unit."""
    trouble: str = ""
    """Why the lines aren't younger; empty where all is well."""


def times_of(span: Span) -> tuple[float, ...]:
    """The moments of a span, in Unix seconds."""
    count = (span.end - span.start) // span.step + 1
    start, step = span.start.timestamp(), span.step.total_seconds()
    return tuple(start + index * step for index in range(count))


def on_times(columns: Columns, times: Sequence[float]) -> tuple[float | None, ...]:
    """The values of a series at these times; None where it has none, or one that isn't a number."""
    found = {
        round(at): value for at, value in zip(columns.unix_seconds, columns.values, strict=True) if math.isfinite(value)
    }
    return tuple(found.get(round(at)) for at in times)
