"""A dashboard's JSON model as frozen values: what is drawn, asked and chosen. What is left out has its default."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class DataSource:
    """What a panel, a query or a variable asks."""

    kind: str
    """`prometheus`, `elasticsearch`, …; empty where only the uid is given."""
    uid: str
    """Often a variable: `${datasource}`."""


@dataclass(frozen=True, slots=True)
class GridPosition:
    """Where a panel stands: columns of 24 from the left, units from the top."""

    x: int
    y: int
    width: int
    height: int

    def overlaps(self, other: "GridPosition") -> bool:
        """Whether both cover some of the same ground."""
        beside = self.x + self.width <= other.x or other.x + other.width <= self.x
        below = self.y + self.height <= other.y or other.y + other.height <= self.y
        return not beside and not below


@dataclass(frozen=True, slots=True)
class Threshold:
    """A colour from this value upwards; None is from the lowest."""

    value: float | None
    color: str


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Steps, lowest first."""

    steps: tuple[Threshold, ...]
    is_percentage: bool = False
    """Whether the values are per cent of the way from the smallest to the largest."""


@dataclass(frozen=True, slots=True)
class Matched:
    """Which values are shown as something else: one value, a range (open where None), a pattern, or a special one."""

    value: str | None = None
    start: float | None = None
    end: float | None = None
    pattern: str | None = None
    special: str | None = None
    """`null`, `nan`, `null+nan`, `true`, `false` or `empty`."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What is shown instead of the values that match; None where the value itself is shown, or its colour is kept."""

    matched: Matched
    text: str | None
    color: str | None


@dataclass(frozen=True, slots=True)
class Property:
    """One setting of an override: `unit`, `decimals`, or one that a type of panel has of its own."""

    id: str
    value: Any


@dataclass(frozen=True, slots=True)
class Override:
    """Settings of the fields that a matcher finds."""

    matcher: str
    """`byName`, `byRegexp`, `byFrameRefID`, `byType`, …"""
    matcher_options: Any
    properties: tuple[Property, ...]


@dataclass(frozen=True, slots=True)
class Transformation:
    """A step between the answers of queries and what is drawn, such as `merge` or `organize`."""

    id: str
    options: Mapping[str, Any]
    is_disabled: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A way to another place, from a dashboard or a panel."""

    title: str
    url: str
    """Empty for a list of dashboards."""
    kind: str
    """`link`, or `dashboards`: those that have all of `tags`."""
    tags: tuple[str, ...] = ()
    opens_beside: bool = False
    keeps_time: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """One query of a panel."""

    ref_id: str
    expr: str
    """PromQL as written, variables included; empty where another kind of data source is asked."""
    legend: str
    is_instant: bool
    is_range: bool
    format: str
    """`time_series`, `table` or `heatmap`."""
    is_hidden: bool
    has_exemplars: bool
    query: str
    """Lucene, where Elasticsearch is asked."""
    datasource: DataSource | None
    """None where it is the panel's own."""
    raw: Mapping[str, Any]
    """All that is written, for what data sources other than Prometheus need."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel; a row is one of the type `row`."""

    id: int | None
    type: str
    title: str
    description: str
    grid: GridPosition | None
    datasource: DataSource | None
    unit: str
    decimals: int | None
    minimum: float | None
    maximum: float | None
    thresholds: Thresholds | None
    mappings: tuple[Mapped, ...]
    no_value: str
    """What is shown where there is no data; empty is Grafana's own "No data"."""
    display_name: str
    custom: Mapping[str, Any]
    """How fields are drawn by this type of panel: `lineWidth`, `fillOpacity`, `cellOptions`, …"""
    field_links: tuple[Link, ...]
    overrides: tuple[Override, ...]
    transformations: tuple[Transformation, ...]
    targets: tuple[Target, ...]
    options: Mapping[str, Any]
    interval: str
    """The least step of graphs, as a Prometheus duration; empty is the data source's own."""
    time_from: str
    """A time range of its own, counted back from now: `30d`; empty is the dashboard's."""
    time_shift: str
    repeat: str
    """The variable for each of whose values the panel is drawn once; empty where it isn't."""
    links: tuple[Link, ...]
    is_transparent: bool
    is_collapsed: bool
    """Of a row: whether its panels are hidden to begin with."""
    row: str | None
    """The title of the row that the panel stands below; None above the first."""

    @property
    def is_row(self) -> bool:
        """A title over other panels; it shows no data."""
        return self.type == "row"


@dataclass(frozen=True, slots=True)
class VariableOption:
    """One thing to choose."""

    text: str
    value: str


@dataclass(frozen=True, slots=True)
class Variable:
    """What is chosen at the top."""

    name: str
    kind: str
    """`query`, `custom`, `constant`, `datasource`, `textbox`, `interval` or `adhoc`."""
    label: str
    description: str
    query: str
    """`label_values(…)` of a query, the value of a constant, the options of a custom one as written."""
    regex: str
    all_value: str
    """What "All" stands for; empty is all options as a pattern."""
    options: tuple[VariableOption, ...]
    current: tuple[str, ...]
    """The values that are chosen when the dashboard is opened; `$__all` is all. Empty is the first option."""
    is_multi: bool
    includes_all: bool
    is_hidden: bool
    follows_time: bool
    """Whether its options are asked for anew whenever the time shown changes; else when the dashboard is opened."""
    datasource: DataSource | None

    @property
    def is_pattern(self) -> bool:
        """Whether values are escaped for a regular expression: what has several values, or all of them."""
        return self.is_multi or self.includes_all


@dataclass(frozen=True, slots=True)
class Annotation:
    """What is marked in all graphs."""

    name: str
    expr: str
    color: str
    is_enabled: bool
    title_format: str
    text_format: str
    value_is_time: bool
    """Whether the series' values are the moments, in milliseconds."""
    datasource: DataSource | None


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Everything that a dashboard's file says of what is shown."""

    uid: str
    title: str
    description: str
    tags: tuple[str, ...]
    is_editable: bool
    time_from: str
    time_to: str
    timezone: str
    refresh: str
    variables: tuple[Variable, ...]
    panels: tuple[Panel, ...]
    """From top to bottom as written, rows among them; those of a collapsed row follow it."""
    links: tuple[Link, ...]
    annotations: tuple[Annotation, ...]

    @property
    def data_panels(self) -> tuple[Panel, ...]:
        """Everything but rows."""
        return tuple(panel for panel in self.panels if not panel.is_row)

    def variable(self, name: str) -> Variable | None:
        """The variable of this name."""
        return next((each for each in self.variables if each.name == name), None)
