"""How the budgets came to be what they are: day by day over the window, and since yesterday."""

from grafana_foundation_sdk.builders import common, statushistory, table
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement, VisibilityMode

from sereno_slo.model import Settings
from sereno_slo.plan.series import SLO_LABELS
from sereno_slo.render.dashboards import overview_queries as queries
from sereno_slo.render.dashboards.layout import Line, Section
from sereno_slo.render.dashboards.panels import (
    BAD,
    BUDGET_STEPS,
    DATASOURCE,
    GOOD,
    WARNING,
    Query,
    Text,
    by_thresholds,
    target,
    thresholds,
)
from sereno_slo.render.dashboards.tables import Column, ranked

_MOST_ROWS, _MOST_CHANGES = 40, 20
# So many times a day's fair share of the budget is bad, whatever the rest of the window brings.
_FAR_TOO_MUCH = 3


def section(settings: Settings) -> Section:
    """The calendar, then what is new."""
    return Section("How it came to this", (Line(11, (_calendar(settings),)), Line(9, (_budgets(), _alerts()))))


def _calendar(settings: Settings) -> statushistory.Panel:
    share = queries.DAY / settings.window
    description = (
        "A cell is a day, the newest one the last 24 hours: the part of the whole budget that it spent. At "
        f"{share:.1%} a day the budget lasts exactly {settings.window}; orange is more than that, red more than "
        f"{_FAR_TOO_MUCH} times as much. The {_MOST_ROWS} SLOs with the least budget of those in the table above."
    )
    return (
        statushistory.Panel()
        .title("Budget spent, day by day")
        .description(description)
        .unit("percentunit")
        .decimals(1)
        .datasource(DATASOURCE)
        .interval("1d")
        .time_from(str(settings.window))
        .thresholds(thresholds(((None, GOOD), (share, WARNING), (_FAR_TOO_MUCH * share, BAD))))
        .color_scheme(by_thresholds())
        .show_value(VisibilityMode.AUTO)
        .row_height(0.9)
        .col_width(0.95)
        .per_page(20)
        .legend(
            common.VizLegendOptions()
            .show_legend(show_legend=False)
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
        )
        .no_value("All is calm: no SLO is in trouble. Choose All SLOs above to see the others")
        .with_target(target(Query(queries.spent_in_a_day(_MOST_ROWS), "{{service}}/{{slo}}"), 0).range())
    )


def _budgets() -> table.Panel:
    description = (
        f"Budgets now and at this time yesterday, of all chosen services: the {_MOST_CHANGES} that changed most, "
        "losses first. A budget grows when old failures leave its window, or when a calendar's window begins."
    )
    values = {
        "Change": Column(queries.change(), "percentunit", 1, ((None, BAD), (-0.1, WARNING), (0, GOOD))),
        "Budget now": Column(queries.remaining(), "percentunit", 1, BUDGET_STEPS),
        "Yesterday": Column(queries.remaining(ago=queries.DAY), "percentunit", 1, BUDGET_STEPS),
    }
    columns = {
        title: Column(queries.most_changed(one.expr, _MOST_CHANGES), one.unit, one.decimals, one.steps)
        for title, one in values.items()
    }
    text = Text("Budgets since yesterday", description, "short")
    return ranked(text, SLO_LABELS, columns, none="No budget changed by 0.1 % since yesterday")


def _alerts() -> table.Panel:
    description = (
        "Alerts that fire and didn't yesterday at this time, then those that fired since and are over. What fires "
        "since longer is in the table above."
    )
    words = {"1": ("firing", BAD), "0": ("over", GOOD)}
    columns = {"State": Column(queries.alerts_since_yesterday(), "short", 0, ((None, GOOD), (1, BAD)), words)}
    text = Text("Alerts since yesterday", description, "short")
    labels = (*SLO_LABELS, "alertname", "severity")
    return ranked(text, labels, columns, none="No alert began or ended since yesterday", is_highest_first=True)
