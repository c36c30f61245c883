"""What a panel shows, whoever draws it; figures are in words already, so that pages and JSON say the same."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from sereno_portal.charts import Chart, Hue


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a stat or a gauge."""

    label: str
    """Empty where the panel's title says it all."""
    text: str
    value: float | None
    hue: Hue | None
    ratio: float | None = None
    """Of a gauge: how much of its way from the least to the most is filled, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table."""

    text: str
    value: float | None = None
    """Of figures, for sorting."""
    hue: Hue | None = None
    address: str = ""
    """Where it leads."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class ChartPanel:
    """Lines over time."""

    title: str
    chart: Chart
    kind: Literal["chart"] = "chart"


@dataclass(frozen=True, slots=True)
class FiguresPanel:
    """Figures of now."""

    title: str
    figures: tuple[Figure, ...]
    empty: str = ""
    trouble: str = ""
    kind: Literal["figures"] = "figures"


@dataclass(frozen=True, slots=True)
class TablePanel:
    """Rows of now."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str = ""
    trouble: str = ""
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class HeatmapPanel:
    """How often values lay between bounds: a row for each bucket, the lowest first."""

    title: str
    times: tuple[float, ...]
    """Unix seconds."""
    step_seconds: float
    buckets: tuple[str, ...]
    """What each holds at most, in words."""
    counts: tuple[tuple[float | None, ...], ...]
    """For each bucket a value at each time."""
    unit: str = "short"
    empty: str = ""
    trouble: str = ""
    kind: Literal["heatmap"] = "heatmap"


@dataclass(frozen=True, slots=True)
class Stretch:
    """How something was for a while; Unix seconds."""

    at: float
    until: float
    text: str
    hue: Hue | None


@dataclass(frozen=True, slots=True)
class StateRow:
    """One thing that has states."""

    label: str
    stretches: tuple[Stretch, ...]
    """In order of time; where nothing was known, there is none."""


@dataclass(frozen=True, slots=True)
class StatesPanel:
    """What was when, a row for each thing."""

    title: str
    start: float
    end: float
    rows: tuple[StateRow, ...]
    empty: str = ""
    trouble: str = ""
    kind: Literal["states"] = "states"


@dataclass(frozen=True, slots=True)
class ElsewherePanel:
    """What this page can't show: where it is."""

    title: str
    text: str
    address: str
    """Empty where none is known."""
    kind: Literal["elsewhere"] = "elsewhere"


PanelView: TypeAlias = ChartPanel | FiguresPanel | TablePanel | HeatmapPanel | StatesPanel | ElsewherePanel
