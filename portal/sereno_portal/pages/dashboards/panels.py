"""What a panel shows, by its type."""

from sereno_backends.grafana import Panel

from sereno_portal.pages.dashboards.asking import Asking
from sereno_portal.pages.dashboards.heatmaps import heatmap_of
from sereno_portal.pages.dashboards.lines import chart_of
from sereno_portal.pages.dashboards.models import ChartPanel, ElsewherePanel, PanelView
from sereno_portal.pages.dashboards.shelf import Shelved
from sereno_portal.pages.dashboards.states import states_of
from sereno_portal.pages.dashboards.stats import figures_of
from sereno_portal.pages.dashboards.tables import table_of
from sereno_portal.web.rendering import web_address

CHARTS = frozenset({"timeseries", "graph", "trend"})
FIGURES = frozenset({"stat", "gauge", "bargauge", "singlestat"})
STATES = frozenset({"state-timeline", "status-history"})
DRAWN = CHARTS | FIGURES | STATES | {"table", "heatmap"}

_PROMETHEUS = frozenset({"prometheus", "datasource", ""})
"""`datasource` is Grafana's word for a panel whose queries name their own."""


def is_asked_here(panel: Panel) -> bool:
    """Whether Prometheus answers it, and this page draws it."""
    kinds = {source.kind for source in (panel.datasource, *(each.datasource for each in panel.targets)) if source}
    return panel.type in DRAWN and kinds <= _PROMETHEUS and any(each.expr for each in panel.targets)


def panel_view(asking: Asking, shelved: Shelved, grafana: str) -> PanelView:
    """The panel's answer.

    Args:
        asking: what it asks.
        shelved: its dashboard.
        grafana: where Grafana answers; empty: nobody knows.

    Raises:
        NotAnswered: a query has no answer.
        DashboardInvalid: an override says what can't be understood.
    """
    panel = asking.panel
    title = asking.text(panel.title)
    if not is_asked_here(panel):
        where = asking.say("Log lines are in Elasticsearch, which this page doesn't ask; Grafana shows them.")
        other = asking.say("This page has no picture for this panel; Grafana shows it.")
        address = web_address(f"{grafana}/d/{shelved.dashboard.uid}") if grafana else ""
        return ElsewherePanel(title, where if panel.type == "logs" else other, address)
    if panel.type in CHARTS:
        return ChartPanel(title, chart_of(asking, shelved.dashboard, title))
    if panel.type in FIGURES:
        return figures_of(asking, title)
    if panel.type in STATES:
        return states_of(asking, title)
    return table_of(asking, title) if panel.type == "table" else heatmap_of(asking, title)
