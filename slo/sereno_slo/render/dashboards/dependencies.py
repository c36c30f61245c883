"""What an SLO depends on, and what a journey passes through: a table, the least budget first."""

from collections.abc import Sequence

from sereno_slo.model import SloReference
from sereno_slo.plan.dependencies import burn_rate, ledger_of
from sereno_slo.plan.series import SLO_LABELS
from sereno_slo.promql import any_of
from sereno_slo.render import queries
from sereno_slo.render.dashboards.layout import Line
from sereno_slo.render.dashboards.panels import BUDGET_STEPS, BURN_UNIT, GOOD, WARNING, Steps, Text
from sereno_slo.render.dashboards.tables import Column, ranked

_BURN_STEPS: Steps = ((None, GOOD), (1, WARNING))


def line(name: str, depends_on: Sequence[SloReference]) -> Line:
    """Every SLO that this one can't hold without, by its own objective."""
    description = (
        f"While one of these pages, pages and tickets of {name} are inhibited: look there first. "
        "Burn rate: failures of the last hour as a multiple of what its own objective allows."
    )
    return _table(Text(f"{name}: depends on", description, "short"), depends_on)


def steps(name: str, passed: Sequence[SloReference]) -> Line:
    """The SLOs that a journey passes through."""
    description = (
        "All of these must hold. While one of them pages, the journey's own alerts are inhibited. "
        "Burn rate: failures of the last hour as a multiple of what the step's own objective allows."
    )
    return _table(Text(f"{name}: steps", description, "short"), passed)


def _table(text: Text, slos: Sequence[SloReference]) -> Line:
    columns = {
        "Budget remaining": Column(
            any_of(*(queries.budget_remaining(ledger_of(slo)) for slo in slos)), "percentunit", 1, BUDGET_STEPS
        ),
        "Burn rate, 1h": Column(any_of(*map(burn_rate, slos)), BURN_UNIT, 1, _BURN_STEPS),
    }
    return Line(5, (ranked(text, SLO_LABELS, columns, none="nothing known of them"),))
