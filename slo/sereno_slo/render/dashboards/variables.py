"""The variables at the top of a dashboard, and the frame that every dashboard shares."""

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as model

from sereno_slo.promql import Selector
from sereno_slo.render.dashboards.panels import DATASOURCE

TAG = "sereno"
# No service's uid can be one of these: theirs begin with "sereno-".
OVERVIEW_UID, SLO_DASHBOARD_UID = "sereno_overview", "sereno_slo"
EVERYTHING = ".+"
_ALL = model.VariableOption(selected=True, text="All", value="$__all")


def frame(title: str, uid: str, description: str) -> dashboard.Dashboard:
    """An empty dashboard of this project: read-only, because the next compilation overwrites it."""
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG, "slo"])
        .readonly()
        .refresh("1m")
        .timezone("browser")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .with_variable(_datasource())
    )


def _datasource() -> dashboard.DatasourceVariable:
    """Which Prometheus, Mimir or Thanos is asked."""
    return dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")


def fixed(name: str, value: str) -> dashboard.ConstantVariable:
    """A value that a copy of the dashboard changes in one place."""
    return dashboard.ConstantVariable(name).value(value)


def label_values(name: str, label: str, series: Selector, shown_as: str, all_value: str) -> dashboard.QueryVariable:
    """Any of the values that a label has now; all of them to begin with."""
    return (
        dashboard.QueryVariable(name)
        .label(shown_as)
        .datasource(DATASOURCE)
        .query(f"label_values({series}, {label})")
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(all_value)
        .current(_ALL)
    )


def one_label_value(label: str, series: Selector, shown_as: str, first: str) -> dashboard.QueryVariable:
    """One of the values that a label has now, by a variable of the same name; `first` to begin with."""
    return (
        dashboard.QueryVariable(label)
        .label(shown_as)
        .datasource(DATASOURCE)
        .query(f"label_values({series}, {label})")
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .current(model.VariableOption(selected=True, text=first, value=first))
    )


def switch(name: str, label: str, options: dict[str, str]) -> dashboard.CustomVariable:
    """One of the options, text to value; the first is chosen to begin with."""
    chosen = next(iter(options))
    return (
        dashboard.CustomVariable(name)
        .label(label)
        .values(", ".join(f"{text} : {value}" for text, value in options.items()))
        .options(
            [model.VariableOption(selected=text == chosen, text=text, value=value) for text, value in options.items()]
        )
        .current(model.VariableOption(selected=True, text=chosen, value=options[chosen]))
    )


def firing_alerts(expr: str) -> dict[str, object]:
    """An annotation for each firing alert. The SDK doesn't know the fields by which Prometheus names annotations."""
    return {
        **_while_it_lasts("Firing alerts", expr, "red"),
        "tagKeys": "severity,burn",
        "titleFormat": "{{alertname}} {{service}}/{{slo}}",
        "textFormat": "{{severity}} {{burn}} {{long_window}}",
    }


def excluded_time(expr: str) -> dict[str, object]:
    """An annotation for each stretch of time that doesn't count."""
    return {
        **_while_it_lasts("Excluded time", expr, "blue"),
        "tagKeys": "",
        "titleFormat": "{{service}}/{{slo}}: not counted",
        "textFormat": "",
    }


def deployments(expr: str) -> dict[str, object]:
    """An annotation at each deployment; the series' values are the moments, in milliseconds."""
    return {
        **_while_it_lasts("Deployments", expr, "purple"),
        "tagKeys": "environment",
        "titleFormat": "{{service}} deployed to {{environment}}",
        "textFormat": "{{version}} {{sha}}",
        "useValueForTime": True,
    }


def _while_it_lasts(name: str, expr: str, color: str) -> dict[str, object]:
    return {
        "name": name,
        "datasource": DATASOURCE.to_json(),
        "enable": True,
        "expr": expr,
        "iconColor": color,
        "step": "60s",
    }
