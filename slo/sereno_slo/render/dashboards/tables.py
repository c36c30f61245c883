"""Tables of figures, one row a series."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from grafana_foundation_sdk.builders import common, table
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue

from sereno_slo.promql import Aggregation, Expr
from sereno_slo.render.dashboards.panels import DATASOURCE, Steps, Text, ref_id, table_target, thresholds


@dataclass(frozen=True, slots=True)
class Column:
    """A figure of each row; coloured by `steps` where there are any. `words` stand for values: text and colour."""

    expr: Expr
    unit: str
    decimals: int
    steps: Steps = ()
    words: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def looks(self) -> list[DynamicConfigValue]:
        """How the column's cells are shown."""
        looks = [
            DynamicConfigValue("unit", self.unit),
            DynamicConfigValue("decimals", self.decimals),
            # Grafana would write what the panel says without rows into each cell without a value.
            DynamicConfigValue("noValue", "–"),  # noqa: RUF001 - a dash, as people write it
        ]
        if self.steps:
            looks.append(DynamicConfigValue("thresholds", thresholds(self.steps).build().to_json()))
            looks.append(DynamicConfigValue("custom.cellOptions", {"type": "color-text"}))
        if self.words:
            options = {value: {"text": text, "color": color} for value, (text, color) in self.words.items()}
            looks.append(DynamicConfigValue("mappings", [{"type": "value", "options": options}]))
        return looks


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
        panel.override_by_name(title, column.looks())
    names = {_value_of(position, len(columns)): title for position, title in enumerate(columns)}
    panel.with_transformation(DataTransformerConfig("merge", options={}))
    shown = {"excludeByName": {"Time": True}, "renameByName": names}
    return panel.with_transformation(DataTransformerConfig("organize", options=shown))


def _value_of(position: int, queries: int) -> str:
    """How Grafana calls the values of a table's query: those of the only one have no number."""
    return "Value" if queries == 1 else f"Value #{ref_id(position)}"
