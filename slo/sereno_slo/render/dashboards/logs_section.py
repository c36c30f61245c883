"""The service's log lines of the time that is shown, from Elasticsearch; who has none sees a text that says so."""

from grafana_foundation_sdk.builders import dashboard, elasticsearch, logs
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.common import LogsSortOrder

from sereno_slo.render.dashboards.layout import Line, Section
from sereno_slo.render.dashboards.variables import switch

_SOURCE = "logs"
_LINES = "lines"
_MOST = 200
# Levels as the collector writes them, and as others do.
_TROUBLE = "log.level:(warning OR warn OR error OR critical OR fatal)"


def variables() -> tuple[dashboard.DatasourceVariable | dashboard.CustomVariable, ...]:
    """Which Elasticsearch is asked, and whether calm lines are shown as well."""
    source = dashboard.DatasourceVariable(_SOURCE).label("Logs").type("elasticsearch")
    return source, switch(_LINES, "Log lines", {"Warnings and errors": _TROUBLE, "All lines": "*"})


def section(service: str) -> Section:
    """One panel with the newest lines on top."""
    # Without `raw`, Grafana would escape the colons and parentheses of what is chosen.
    query = f'service.name:"$service" AND ${{{_LINES}:raw}}'
    newest = elasticsearch.Logs().id("1").settings(elasticsearch.ElasticsearchLogsSettings().limit(str(_MOST)))
    source = model.DataSourceRef(type_val="elasticsearch", uid=f"${{{_SOURCE}}}")
    asked = elasticsearch.Dataquery().query(query).metrics([newest]).bucket_aggs([]).time_field("@timestamp")
    panel = (
        logs.Panel()
        .title("Log lines")
        .description(
            f"The {_MOST} newest lines of {service} in the time that is shown, warnings and errors only unless All "
            "lines is chosen above. A line's details hold the whole event; trace.id leads to everything that was "
            "logged of the same call."
        )
        .unit("short")
        .datasource(source)
        .no_value(
            f"No such line of {service} in this time: it was calm, its logs go elsewhere, or no Elasticsearch is chosen"
        )
        .show_time(show_time=True)
        .wrap_log_message(wrap_log_message=True)
        .enable_log_details(enable_log_details=True)
        .sort_order(LogsSortOrder.DESCENDING)
        .with_target(asked.ref_id("A").datasource(source))
    )
    return Section("Logs", (Line(10, (panel,)),))
