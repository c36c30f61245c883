"""Where dashboards and runbooks lead; an empty address means that the settings leave the link out."""

from collections.abc import Mapping
from urllib.parse import quote

from sereno_slo.model import Links, Objective
from sereno_slo.plan.annotations import dashboard_uid


def slo_runbook_url(links: Links, slo: Objective) -> str:
    """The SLO's own runbook, which `sereno compile` scaffolds."""
    return f"{links.runbooks}/{slo.service}/{slo.name}.md" if links.runbooks else ""


def dashboard_url(links: Links, service: str) -> str:
    """The service's dashboard in Grafana."""
    return f"{links.dashboards}/d/{dashboard_uid(service)}" if links.dashboards else ""


def incidents_url(links: Links, service: str) -> str:
    """The service's incidents, as `sereno incidents serve` lists them."""
    return f"{links.incidents}/incidents?service={quote(service, safe='$')}" if links.incidents else ""


LAST_HOUR = {"{from}": "now-1h", "{to}": "now", "{from_iso}": "now-1h", "{to_iso}": "now", "{window}": "1h"}
"""For pages that know no window; Kibana and Grafana read such times."""
SHOWN_BY_GRAFANA = {
    "{from}": "${__from}",
    "{to}": "${__to}",
    "{from_iso}": "${__from:date:iso}",
    "{to_iso}": "${__to:date:iso}",
}
"""The window that a dashboard shows, in Grafana's own variables."""


def logs_url(links: Links, service: str, window: Mapping[str, str]) -> str:
    """The service's logs; the window's placeholders become what `window` says."""
    url = links.logs.replace("{service}", quote(service))
    for place, value in window.items():
        url = url.replace(place, value)
    return url
