"""Grafana dashboards: one for each service and an overview of all SLOs."""

from collections.abc import Sequence

from sereno_slo.model import Service, Settings
from sereno_slo.plan.annotations import dashboard_uid
from sereno_slo.render.artefact import Artefact, Kind

__all__ = ["dashboard_uid", "render_dashboards"]


def render_dashboards(services: Sequence[Service], settings: Settings) -> tuple[Artefact, ...]:
    """`<service>.json` for every service and `overview.json`, deterministic byte for byte.

    No service may be called `overview`: its file would be the overview's.
    """
    # Imported here: `sereno validate` must not pay for Grafana's SDK.
    from sereno_slo.render.dashboards.overview import overview_dashboard  # noqa: PLC0415
    from sereno_slo.render.dashboards.panels import to_json  # noqa: PLC0415
    from sereno_slo.render.dashboards.service import service_dashboard  # noqa: PLC0415

    files = {f"{service.name}.json": service_dashboard(service, settings) for service in services}
    files["overview.json"] = overview_dashboard(services, settings)
    return tuple(Artefact(Kind.DASHBOARDS, name, to_json(dashboard)) for name, dashboard in files.items())
