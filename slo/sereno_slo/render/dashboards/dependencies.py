"""What an SLO depends on: a table, the least budget first."""

from sereno_slo.model import ServiceLevelObjective
from sereno_slo.plan.dependencies import burn_rate, ledger_of
from sereno_slo.plan.series import SLO_LABELS
from sereno_slo.promql import any_of
from sereno_slo.render import queries
from sereno_slo.render.dashboards.layout import Line
from sereno_slo.render.dashboards.panels import BUDGET_STEPS, BURN_UNIT, Steps, Text
from sereno_slo.render.dashboards.tables import Column, ranked

_BURN_STEPS: Steps = ((None, "green"), (1, "orange"))


def line(slo: ServiceLevelObjective) -> Line:
    """Every SLO that this one names, by its own objective."""
    description = (
        f"While one of these pages, pages and tickets of {slo.name} are inhibited: look there first. "
        "Burn rate: failures of the last hour as a multiple of what its own objective allows."
    )
    columns = {
        "Budget remaining": Column(
            any_of(*(queries.budget_remaining(ledger_of(on)) for on in slo.depends_on)), "percentunit", 1, BUDGET_STEPS
        ),
        "Burn rate, 1h": Column(any_of(*map(burn_rate, slo.depends_on)), BURN_UNIT, 1, _BURN_STEPS),
    }
    text = Text(f"{slo.name}: depends on", description, "short")
    return Line(5, (ranked(text, SLO_LABELS, columns, none="nothing known of them"),))
