"""Budgets of groups (`group_by`): a table, the least budget first, and how many groups have none of their own."""

from grafana_foundation_sdk.builders import stat, table

from sereno_slo.model import GroupBy, ServiceLevelObjective
from sereno_slo.plan.series import Ledger
from sereno_slo.render import queries
from sereno_slo.render.dashboards.layout import Line
from sereno_slo.render.dashboards.panels import BUDGET_STEPS, GOOD, WARNING, Query, Text, figure
from sereno_slo.render.dashboards.tables import Column, ranked
from sereno_slo.render.words import own_window_in_words


def line(slo: ServiceLevelObjective, group_by: GroupBy) -> Line:
    """The groups of one SLO."""
    return Line(8, (_table(slo, group_by), _left_out(slo, group_by)))


def _table(slo: ServiceLevelObjective, group_by: GroupBy) -> table.Panel:
    ledger = Ledger("$service", slo.name, group_by.labels)
    description = (
        f"Every group as if it were an SLO of its own, over {own_window_in_words(slo)}; the least budget first."
    )
    columns = {
        "Budget remaining": Column(queries.budget_remaining(ledger), "percentunit", 1, BUDGET_STEPS),
        "Error ratio": Column(queries.own_window(ledger, "error_ratio"), "percentunit", 3),
        "Bad events": Column(queries.own_window(ledger, "bad_events"), "locale", 0),
        "Events": Column(queries.own_window(ledger, "events"), "locale", 0),
    }
    text = Text(f"{slo.name}: budgets by {', '.join(group_by.labels)}", description, "short")
    return ranked(text, group_by.labels, columns, none="no group yet")


def _left_out(slo: ServiceLevelObjective, group_by: GroupBy) -> stat.Panel:
    description = (
        f"Groups without a budget of their own: at most {group_by.limit} are admitted, first come, first served. "
        "The SLO itself counts them all."
    )
    text = Text(f"{slo.name}: groups left out", description, "short")
    left_out = queries.groups_left_out(Ledger("$service", slo.name))
    return figure(text, Query(left_out), steps=((None, GOOD), (1, WARNING)), decimals=0)
