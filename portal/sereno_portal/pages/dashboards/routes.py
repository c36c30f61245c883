"""The addresses of the dashboards' pages, and of the same as JSON."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse
from sereno_backends.grafana import DashboardInvalid

from sereno_portal.pages.dashboards.asking import Asking
from sereno_portal.pages.dashboards.choices import ChoiceInvalid, Choices, choices_of
from sereno_portal.pages.dashboards.models import PanelView
from sereno_portal.pages.dashboards.panels import panel_view
from sereno_portal.pages.dashboards.shelf import DashboardFiles, Shelf, Shelved
from sereno_portal.pages.dashboards.times import Shown, TimeInvalid, shown, understood
from sereno_portal.pages.dashboards.views import DashboardView, Listing, dashboard_view, listing, parameters
from sereno_portal.portal import Portal
from sereno_portal.web.missing import no_such
from sereno_portal.web.preferences import preferences_of
from sereno_portal.web.rendering import page

_VARIABLE = "var-"
_MOST_PARAMETERS = 200
Start = Annotated[str, Query(alias="from", max_length=40, description="`1h`, `6h`, …; empty: as the dashboard says")]
End = Annotated[str, Query(alias="to", max_length=40, description="ISO 8601, or milliseconds since 1970; empty: now")]


class _Pages:
    """What all addresses have in common."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._files = DashboardFiles(portal.configuration.dashboards)

    def shelf(self) -> Shelf:
        return self._files.current()

    def shelved(self, uid: str) -> Shelved:
        """The dashboard of this uid; 404 with the nearest where there is none, 422 where it can't be read."""
        shelf = self.shelf()
        found = shelf.find(uid)
        if isinstance(found, Shelved):
            return found
        if found is not None:
            raise HTTPException(422, f"dashboards/grafana/{found.folder}/{found.file}: {found.why}")
        raise no_such("there is no dashboard {name}", uid, (each.dashboard.uid for each in shelf.dashboards))

    def chosen(self, request: Request, shelved: Shelved, start: str, end: str) -> tuple[Choices, Shown]:
        """What the address says; 422 where it is nothing that was offered."""
        asked: dict[str, tuple[str, ...]] = {}
        for name, value in request.query_params.multi_items()[:_MOST_PARAMETERS]:
            if name.startswith(_VARIABLE):
                key = name.removeprefix(_VARIABLE)
                asked[key] = (*asked.get(key, ()), value)
        try:
            time = shown(start or understood(shelved.dashboard.time_from), self._portal.clock(), end)
            return choices_of(self._portal.gateway, shelved.dashboard, asked), time
        except (ChoiceInvalid, TimeInvalid) as error:
            raise HTTPException(422, str(error)) from error

    def dashboard(self, request: Request, uid: str, start: str, end: str) -> DashboardView:
        shelved = self.shelved(uid)
        choices, time = self.chosen(request, shelved, start, end)
        return dashboard_view(self.shelf(), shelved, choices, time)

    def panel(self, request: Request, uid: str, number: int, start: str, end: str) -> PanelView:
        shelved = self.shelved(uid)
        panel = dict(shelved.panels()).get(number)
        if panel is None:
            raise HTTPException(404, f"the dashboard {uid!r} has no panel {number}")
        choices, time = self.chosen(request, shelved, start, end)
        language = preferences_of(request).language
        asking = Asking(self._portal.gateway, panel, choices, time, self._portal.clock(), language)
        grafana = self._portal.catalogue.settings.links.dashboards
        try:
            return panel_view(asking, shelved, grafana)
        except DashboardInvalid as error:
            raise HTTPException(422, f"dashboards/grafana/{shelved.folder}/{shelved.file}: {error}") from error


def router(portal: Portal) -> APIRouter:
    """The pages and their JSON."""
    routes, pages = APIRouter(), _Pages(portal)

    @routes.get("/dashboards", include_in_schema=False)
    def list_page(request: Request) -> Response:
        return page(request, "dashboards/list.html.j2", listing=listing(pages.shelf()))

    @routes.get("/dashboards/{uid}", include_in_schema=False)
    def dashboard_page(request: Request, uid: str, start: Start = "", end: End = "") -> Response:
        view = pages.dashboard(request, uid, start, end)
        grafana = portal.catalogue.settings.links.dashboards
        return page(request, "dashboards/dashboard.html.j2", dashboard=view, grafana=grafana)

    @routes.get("/dashboards/{uid}/panels/{number}", include_in_schema=False)
    def panel_page(request: Request, uid: str, number: int, start: Start = "", end: End = "") -> Response:
        shelved = pages.shelved(uid)
        view = pages.panel(request, uid, number, start, end)
        query = parameters(*pages.chosen(request, shelved, start, end))
        description = dict(shelved.panels())[number].description
        return page(
            request, "dashboards/panel.html.j2", panel=view, dashboard=shelved.dashboard, number=number, query=query,
            description=description,
        )  # fmt: skip

    @routes.get("/d/{uid}", include_in_schema=False)
    @routes.get("/d/{uid}/{name}", include_in_schema=False)
    def as_in_grafana(request: Request, uid: str, name: str = "") -> Response:  # noqa: ARG001 - of the address
        """Alerts and dashboards lead to Grafana's addresses: `links.dashboards` may be this portal's."""
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/dashboards/{quote(uid, safe='')}{query}")

    @routes.get("/api/v1/dashboards")
    def dashboards() -> Listing:
        """All dashboards, by folder."""
        return listing(pages.shelf())

    @routes.get("/api/v1/dashboards/{uid}")
    def dashboard(request: Request, uid: str, start: Start = "", end: End = "") -> DashboardView:
        """One dashboard: what can be chosen (`var-<name>=<value>`), its rows, and where each panel's answer is."""
        return pages.dashboard(request, uid, start, end)

    @routes.get("/api/v1/dashboards/{uid}/panels/{number}")
    def panel(request: Request, uid: str, number: int, start: Start = "", end: End = "") -> PanelView:
        """What one panel shows."""
        return pages.panel(request, uid, number, start, end)

    return routes
