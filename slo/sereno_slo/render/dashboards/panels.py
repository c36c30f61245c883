"""Panels as this project draws them: each needs a title, a description and a unit, and asks the chosen data source."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from grafana_foundation_sdk.builders import common, dashboard, heatmap, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import heatmap as heatmap_model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from sereno_slo.duration import Duration
from sereno_slo.promql import Expr

DATASOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")

# Colours from this value upwards; the first step has no lower bound.
Steps = Sequence[tuple[float | None, str]]
BURN_UNIT = "suffix:×"  # noqa: RUF001 - as people write "14 times"
PLAIN: Steps = ((None, "text"),)
# Blue, not green: of ten men, about one can't tell green from red. What is wrong is told by numbers and words as well.
GOOD, WARNING, BAD = "blue", "orange", "red"
BUDGET_STEPS: Steps = ((None, BAD), (0, WARNING), (0.25, GOOD))
COVERAGE_STEPS: Steps = ((None, BAD), (0.9, WARNING), (0.99, GOOD))
# Okabe and Ito's colours, which people with any kind of colour vision tell apart.
_PALETTE = ("#0072B2", "#E69F00", "#CC79A7", "#56B4E9", "#D55E00", "#009E73", "#F0E442")

# The entries are a minute apart; asking more often shows nothing more.
_MIN_INTERVAL = "1m"


class RateInterval(Duration):
    """Grafana's `$__rate_interval`: four scrapes at least, longer where a pixel is longer.

    As a duration it counts a minute; printed, it is the variable that Grafana fills in.
    """

    __slots__ = ()

    def __str__(self) -> str:
        return "$__rate_interval"


RATE_INTERVAL = RateInterval(60_000)


@dataclass(frozen=True, slots=True)
class Text:
    """What a panel says about itself. `unit` is one of Grafana's unit ids or a `suffix:`."""

    title: str
    description: str
    unit: str


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel and the name of its series in the legend."""

    expr: Expr
    legend: str = ""
    exemplars: bool = False
    """Show the traces of single events as dots."""


def thresholds(steps: Steps) -> dashboard.ThresholdsConfig:
    """Absolute thresholds."""
    return (
        dashboard.ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value=value, color=color) for value, color in steps])
    )


def by_thresholds() -> dashboard.FieldColor:
    """Colours by value and threshold, also where Grafana would go from green to red by itself."""
    return dashboard.FieldColor().mode(model.FieldColorModeId.THRESHOLDS)


def target(query: Query, position: int) -> prometheus.Dataquery:
    """A query of a panel; the first is called A."""
    built = prometheus.Dataquery().expr(str(query.expr)).legend_format(query.legend).ref_id(ref_id(position))
    return built.exemplar(exemplar=True) if query.exemplars else built


def table_target(expr: Expr, position: int) -> prometheus.Dataquery:
    """The same for one column of a table: the value of now, one row a series."""
    return target(Query(expr), position).instant().format(PromQueryFormat.TABLE)


def ref_id(position: int) -> str:
    """A, B, …, Z, A1, B1, …: Grafana's names of queries."""
    number, letter = divmod(position, 26)
    return f"{chr(ord('A') + letter)}{number or ''}"


def figure(
    text: Text, query: Query, *, steps: Steps = PLAIN, decimals: int | None = None, none: str = "no data"
) -> stat.Panel:
    """One big number of now; `none` is what it says where there is no value."""
    panel = (
        stat.Panel()
        .title(text.title)
        .description(text.description)
        .unit(text.unit)
        .datasource(DATASOURCE)
        .thresholds(thresholds(steps))
        .graph_mode(common_model.BigValueGraphMode.NONE)
        .color_mode(common_model.BigValueColorMode.VALUE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .no_value(none)
        .with_target(target(query, 0).instant())
    )
    return panel if decimals is None else panel.decimals(decimals)


def figures(text: Text, queries: Sequence[Query], *, steps: Steps, decimals: int, none: str) -> stat.Panel:
    """Several numbers of now, each below the name that its query has in the legend."""
    panel = figure(text, queries[0], steps=steps, decimals=decimals, none=none)
    for position, query in enumerate(queries[1:], start=1):
        panel.with_target(target(query, position).instant())
    shown = panel.orientation(common_model.VizOrientation.HORIZONTAL)
    return shown.text_mode(common_model.BigValueTextMode.VALUE_AND_NAME)


def graph(
    text: Text,
    queries: Sequence[Query],
    *,
    lines: Steps = (),
    minimum: float | None = 0,
    maximum: float | None = None,
    none: str = "Nothing was recorded in this time",
) -> timeseries.Panel:
    """Lines over time; `lines` are thresholds, drawn dashed. The axis reaches from `minimum` to `maximum` at least.

    `none` is what it says where there is no line.
    """
    panel = (
        timeseries.Panel()
        .title(text.title)
        .description(text.description)
        .unit(text.unit)
        .datasource(DATASOURCE)
        .interval(_MIN_INTERVAL)
        .line_width(1)
        .fill_opacity(8)
        .show_points(common_model.VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions()
            .display_mode(common_model.LegendDisplayMode.LIST)
            .placement(common_model.LegendPlacement.BOTTOM)
            .show_legend(show_legend=True)
        )
        .tooltip(common.VizTooltipOptions().mode(common_model.TooltipDisplayMode.MULTI))
        .no_value(none)
    )
    is_each_one_line = len(queries) > 1 and not any("{{" in query.legend for query in queries)
    for position, query in enumerate(queries):
        panel.with_target(target(query, position).range())
        if is_each_one_line:
            panel.override_by_query(ref_id(position), [fixed_color(_PALETTE[position % len(_PALETTE)])])
    if lines:
        style = common.GraphThresholdsStyleConfig().mode(common_model.GraphThresholdsStyleMode.DASHED)
        panel.thresholds(thresholds(((None, "transparent"), *lines))).thresholds_style(style)
    if minimum is not None:
        panel.axis_soft_min(minimum)
    return panel if maximum is None else panel.axis_soft_max(maximum)


def fixed_color(color: str) -> model.DynamicConfigValue:
    """A series' own colour."""
    return model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": color})


def density(text: Text, buckets: Query, cells: str, *, none: str) -> heatmap.Panel:
    """A histogram's buckets over time, the fuller the darker; `cells` is the unit of what is in one."""
    colors = heatmap.HeatmapColorOptions().mode(heatmap_model.HeatmapColorMode.SCHEME).scheme("Blues").steps(64)
    return (
        heatmap.Panel()
        .title(text.title)
        .description(text.description)
        .unit(text.unit)
        .datasource(DATASOURCE)
        .interval(_MIN_INTERVAL)
        .calculate(calculate=False)
        .color(colors.exponent(0.5).fill("dark-blue"))
        .y_axis(heatmap.YAxisConfig().unit(text.unit))
        .cell_values(heatmap.CellValues().unit(cells))
        .no_value(none)
        .with_target(target(buckets, 0).range().format(PromQueryFormat.HEATMAP))
    )


def url_link(title: str, url: str) -> dashboard.DashboardLink:
    """A link out of Grafana, opened beside it."""
    return dashboard.DashboardLink(title).type(model.DashboardLinkType.LINK).url(url).target_blank(target_blank=True)


def to_json(built: dict[str, object]) -> str:
    """A dashboard's file: keys sorted, two spaces, a line feed at the end."""
    return json.dumps(built, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def as_document(built: model.Dashboard) -> dict[str, object]:
    """The SDK's objects as plain dictionaries and lists."""
    return cast("dict[str, object]", json.loads(json.dumps(built, cls=JSONEncoder)))
