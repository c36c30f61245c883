"""Grafana dashboards: one for each service and an overview of all SLOs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sereno_slo.model import Service, Settings
from sereno_slo.plan.annotations import dashboard_uid
from sereno_slo.render.artefact import Artefact, Kind

if TYPE_CHECKING:
    from sereno_slo.render.dashboards.overview import Watched

__all__ = ["dashboard_uid", "render_dashboard", "render_dashboards", "render_overview_dashboard"]

# Imported in the functions: `sereno validate` must not pay for Grafana's SDK.


def render_dashboards(services: Sequence[Service], settings: Settings) -> tuple[Artefact, ...]:
    """`<service>.json` for every service and `overview.json`, deterministic byte for byte.

    No service may be called `overview`: its file would be the overview's.
    """
    each = (render_dashboard(service, settings) for service in services)
    return (*each, render_overview_dashboard(services, settings))


def render_dashboard(service: Service, settings: Settings) -> Artefact:
    """`<service>.json`."""
    from sereno_slo.render.dashboards.panels import to_json  # noqa: PLC0415
    from sereno_slo.render.dashboards.service import service_dashboard  # noqa: PLC0415

    return Artefact(Kind.DASHBOARDS, f"{service.name}.json", to_json(service_dashboard(service, settings)))


def render_overview_dashboard(services: Sequence["Watched"], settings: Settings) -> Artefact:
    """`overview.json`, of which only the services' names and sources are told."""
    from sereno_slo.render.dashboards.overview import overview_dashboard  # noqa: PLC0415
    from sereno_slo.render.dashboards.panels import to_json  # noqa: PLC0415

    return Artefact(Kind.DASHBOARDS, "overview.json", to_json(overview_dashboard(services, settings)))
