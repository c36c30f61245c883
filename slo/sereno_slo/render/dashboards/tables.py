"""Tables of figures, one row a series."""

from collections.abc import Mapping
from dataclasses import dataclass

from grafana_foundation_sdk.builders import common, table
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue

from sereno_slo.promql import Aggregation, Expr
from sereno_slo.render.dashboards.panels import DATASOURCE, Steps, Text, ref_id, table_target, thresholds


@dataclass(frozen=True, slots=True)
class Column:
    """A figure of each row; coloured by `steps` where there are any."""

    expr: Expr
    unit: str
    decimals: int
    steps: Steps = ()


def ranked(
    text: Text,
    labels: tuple[str, ...],
    columns: Mapping[str, Column],
    *,
    none: str,
    is_highest_first: bool = False,
) -> table.Panel:
    """A row for each value of the labels, the least (or highest) of the first column on top.

    `none` is what it says without rows.
    """
    panel = (
        table.Panel()
        .title(text.title)
        .description(text.description)
        .unit(text.unit)
        .datasource(DATASOURCE)
        .no_value(none)
        .sort_by([common.TableSortByFieldState().display_name(next(iter(columns))).desc(desc=is_highest_first)])
    )
    for position, (title, column) in enumerate(columns.items()):
        panel.with_target(table_target(Aggregation("max", column.expr, labels), position))
        looks = [DynamicConfigValue("unit", column.unit), DynamicConfigValue("decimals", column.decimals)]
        if column.steps:
            looks.append(DynamicConfigValue("thresholds", thresholds(column.steps).build().to_json()))
            looks.append(DynamicConfigValue("custom.cellOptions", {"type": "color-text"}))
        panel.override_by_name(title, looks)
    names = {f"Value #{ref_id(position)}": title for position, title in enumerate(columns)}
    panel.with_transformation(DataTransformerConfig("merge", options={}))
    shown = {"excludeByName": {"Time": True}, "renameByName": names}
    return panel.with_transformation(DataTransformerConfig("organize", options=shown))
