"""`/dashboards`: the dashboards of the repository, as Grafana would show them, for people without Grafana at hand."""

from sereno_portal.pages.dashboards.routes import router

__all__ = ["router"]
