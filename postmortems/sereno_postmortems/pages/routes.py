"""Where the pages are: `/incidents`, `/incidents?service=…&slo=…` (what pages link to) and `/incidents/<id>`."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import FastAPI, Query, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from sereno_postmortems.described import refusals
from sereno_postmortems.pages.rendering import incident_page, list_page
from sereno_postmortems.requests import nearest_ids
from sereno_postmortems.store import IncidentStore

MOST_LISTED = 100
HEADERS = {
    # Nothing of a page runs or is fetched, whatever an alert's texts hold.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

_ELSEWHERE: Final[dict[str, Any]] = {"description": "The newest incident of the SLO."}
_UNKNOWN: Final[dict[str, Any]] = {"description": "No such incident; the nearest ones.", "content": {"text/html": {}}}


def add_pages(app: FastAPI, store: IncidentStore, clock: Callable[[], datetime]) -> None:
    """Add the routes; they only read."""

    @app.get("/incidents", response_class=HTMLResponse, responses={303: _ELSEWHERE, **refusals(422, 503)})
    def incidents(
        service: Annotated[str, Query(max_length=1000)] = "", slo: Annotated[str, Query(max_length=1000)] = ""
    ) -> Response:
        """The newest incidents; of one SLO (`service` and `slo`) the newest itself, by a redirection."""
        is_of_one_slo = bool(service and slo)
        found = store.incidents(service=service, slo=slo, limit=1 if is_of_one_slo else MOST_LISTED)
        if is_of_one_slo and found:
            return RedirectResponse(f"/incidents/{quote(found[0].incident_id)}", status_code=303, headers=HEADERS)
        return _html(list_page(found, clock(), service=service, slo=slo))

    @app.get("/incidents/{incident_id}", response_class=HTMLResponse, responses={404: _UNKNOWN, **refusals(422, 503)})
    def incident(incident_id: str) -> Response:
        """One incident: state, alerts, what people did, what was told when."""
        found = store.incident(incident_id)
        if found is None:
            near = [each for each in map(store.incident, nearest_ids(store, incident_id)) if each is not None]
            return _html(list_page(near, clock(), unknown=incident_id), status_code=404)
        return _html(incident_page(found, clock()))


def _html(text: str, status_code: int = 200) -> HTMLResponse:
    return HTMLResponse(text, status_code=status_code, headers=HEADERS)
