"""What many incidents say together: figures, the monthly report, the handover of a shift. All of it from the record."""

from sereno_postmortems.reports.charts import Chart, charts_of
from sereno_postmortems.reports.figures import IncidentFigures, Rules, figures_of
from sereno_postmortems.reports.handover import BudgetLeft, Handover, Unasked, handover_of, render_handover
from sereno_postmortems.reports.monthly import render_report
from sereno_postmortems.reports.summary import Period, Summary, month_of, summary_of

__all__ = [
    "BudgetLeft",
    "Chart",
    "Handover",
    "IncidentFigures",
    "Period",
    "Rules",
    "Summary",
    "Unasked",
    "charts_of",
    "figures_of",
    "handover_of",
    "month_of",
    "render_handover",
    "render_report",
    "summary_of",
]
