"""Where dashboards and runbooks lead; an empty address means that the settings leave the link out."""

from urllib.parse import quote

from sereno_slo.model import Links, Objective
from sereno_slo.plan.annotations import dashboard_uid


def slo_runbook_url(links: Links, slo: Objective) -> str:
    """The SLO's own runbook, which `sereno compile` scaffolds."""
    return f"{links.runbooks}/{slo.service}/{slo.name}.md" if links.runbooks else ""


def dashboard_url(links: Links, service: str) -> str:
    """The service's dashboard in Grafana."""
    return f"{links.dashboards}/d/{dashboard_uid(service)}" if links.dashboards else ""


def logs_url(links: Links, service: str) -> str:
    """The service's logs."""
    return links.logs.replace("{service}", quote(service))
