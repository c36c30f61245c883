"""Grafana's dashboards as data: read, and queries with their variables filled in. Pure; nothing here contacts Grafana.

Source of the format: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/.
"""

from sereno_backends.grafana.filling import TimeShown, Value, built_in_values, filled_in, prometheus_duration
from sereno_backends.grafana.model import (
    Annotation,
    Dashboard,
    DataSource,
    GridPosition,
    Link,
    Mapped,
    Matched,
    Override,
    Panel,
    Property,
    Target,
    Threshold,
    Thresholds,
    Transformation,
    Variable,
    VariableOption,
)
from sereno_backends.grafana.opening import opening_value, opening_values
from sereno_backends.grafana.reading import DashboardInvalid, read_dashboard

__all__ = [
    "Annotation",
    "Dashboard",
    "DashboardInvalid",
    "DataSource",
    "GridPosition",
    "Link",
    "Mapped",
    "Matched",
    "Override",
    "Panel",
    "Property",
    "Target",
    "Threshold",
    "Thresholds",
    "TimeShown",
    "Transformation",
    "Value",
    "Variable",
    "VariableOption",
    "built_in_values",
    "filled_in",
    "opening_value",
    "opening_values",
    "prometheus_duration",
    "read_dashboard",
]
