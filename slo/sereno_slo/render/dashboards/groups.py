"""Budgets of groups (`group_by`): a table, the least budget first, and how many groups have none of their own."""

from grafana_foundation_sdk.builders import common, stat, table
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue

from sereno_slo.model import GroupBy, ServiceLevelObjective
from sereno_slo.plan.series import Ledger
from sereno_slo.promql import Aggregation, Expr
from sereno_slo.render import queries
from sereno_slo.render.dashboards.layout import Line
from sereno_slo.render.dashboards.panels import (
    BUDGET_STEPS,
    DATASOURCE,
    Query,
    Text,
    figure,
    ref_id,
    table_target,
    thresholds,
)
from sereno_slo.render.words import own_window_in_words

_REMAINING = "Budget remaining"


def line(slo: ServiceLevelObjective, group_by: GroupBy) -> Line:
    """The groups of one SLO."""
    return Line(8, (_table(slo, group_by), _left_out(slo, group_by)))


def _table(slo: ServiceLevelObjective, group_by: GroupBy) -> table.Panel:
    ledger = Ledger("$service", slo.name, group_by.labels)
    window = own_window_in_words(slo)

    def each(expr: Expr) -> Expr:
        return Aggregation("max", expr, group_by.labels)

    columns = {
        _REMAINING: (each(queries.budget_remaining(ledger)), "percentunit", 1),
        "Error ratio": (each(queries.own_window(ledger, "error_ratio")), "percentunit", 3),
        "Bad events": (each(queries.own_window(ledger, "bad_events")), "locale", 0),
        "Events": (each(queries.own_window(ledger, "events")), "locale", 0),
    }
    panel = (
        table.Panel()
        .title(f"{slo.name}: budgets by {', '.join(group_by.labels)}")
        .description(f"Every group as if it were an SLO of its own, over {window}; the least budget first.")
        .unit("short")
        .datasource(DATASOURCE)
        .no_value("no group yet")
        .sort_by([common.TableSortByFieldState().display_name(_REMAINING).desc(desc=False)])
    )
    for position, (title, (expr, unit, decimals)) in enumerate(columns.items()):
        panel.with_target(table_target(expr, position))
        looks = [DynamicConfigValue("unit", unit), DynamicConfigValue("decimals", decimals)]
        if title == _REMAINING:
            looks.append(DynamicConfigValue("thresholds", thresholds(BUDGET_STEPS).build().to_json()))
            looks.append(DynamicConfigValue("custom.cellOptions", {"type": "color-text"}))
        panel.override_by_name(title, looks)
    names = {f"Value #{ref_id(position)}": title for position, title in enumerate(columns)}
    panel.with_transformation(DataTransformerConfig("merge", options={}))
    shown = {"excludeByName": {"Time": True}, "renameByName": names}
    return panel.with_transformation(DataTransformerConfig("organize", options=shown))


def _left_out(slo: ServiceLevelObjective, group_by: GroupBy) -> stat.Panel:
    description = (
        f"Groups without a budget of their own: at most {group_by.limit} are admitted, first come, first served. "
        "The SLO itself counts them all."
    )
    text = Text(f"{slo.name}: groups left out", description, "short")
    left_out = queries.groups_left_out(Ledger("$service", slo.name))
    return figure(text, Query(left_out), steps=((None, "green"), (1, "orange")), decimals=0)
