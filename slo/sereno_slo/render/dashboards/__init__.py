"""Grafana dashboards: one for each service, one for any SLO, and an overview of all."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sereno_slo.model import Service, Settings
from sereno_slo.plan.annotations import dashboard_uid
from sereno_slo.render.artefact import Artefact, Kind

if TYPE_CHECKING:
    from sereno_slo.render.dashboards.watched import Watched

__all__ = ["dashboard_uid", "render_dashboard", "render_dashboards", "render_spanning_dashboards"]

# Imported in the functions: `sereno validate` must not pay for Grafana's SDK.


def render_dashboards(services: Sequence[Service], settings: Settings) -> tuple[Artefact, ...]:
    """`<service>.json` for every service, `slo.json` and `overview.json`, deterministic byte for byte.

    No service may be called `slo` or `overview`: its file would be theirs.
    """
    each = (render_dashboard(service, settings) for service in services)
    return (*each, *render_spanning_dashboards(services, settings))


def render_dashboard(service: Service, settings: Settings) -> Artefact:
    """`<service>.json`."""
    from sereno_slo.render.dashboards.panels import to_json  # noqa: PLC0415
    from sereno_slo.render.dashboards.service import service_dashboard  # noqa: PLC0415

    return Artefact(Kind.DASHBOARDS, f"{service.name}.json", to_json(service_dashboard(service, settings)))


def render_spanning_dashboards(services: Sequence["Watched"], settings: Settings) -> tuple[Artefact, ...]:
    """`slo.json` and `overview.json`, which need to know less of the services than their specs say."""
    from sereno_slo.render.dashboards.overview import overview_dashboard  # noqa: PLC0415
    from sereno_slo.render.dashboards.panels import to_json  # noqa: PLC0415
    from sereno_slo.render.dashboards.slo_detail import slo_dashboard  # noqa: PLC0415

    return (
        Artefact(Kind.DASHBOARDS, "slo.json", to_json(slo_dashboard(services, settings))),
        Artefact(Kind.DASHBOARDS, "overview.json", to_json(overview_dashboard(services, settings))),
    )
