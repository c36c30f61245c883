"""The draft of a postmortem as a page, and as files to take along; nothing is written into the repository."""

import io
import zipfile

from fastapi import APIRouter, HTTPException, Request, Response
from sereno_postmortems.measured_blocks import is_mark

from sereno_portal.pages.incidents.drafts import Draft, DraftDesk
from sereno_portal.pages.incidents.views import incident_view
from sereno_portal.portal import Portal
from sereno_portal.web.markdown import rendered
from sereno_portal.web.rendering import HEADERS, page, web_address

_SVG_HEADERS = {**HEADERS, "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
_WRITING = "the draft is still being written; ask again in some seconds"


def add_drafts(routes: APIRouter, portal: Portal, desk: DraftDesk) -> None:
    """Add the routes; they only read."""

    @routes.get("/incidents/{incident_id}/draft", include_in_schema=False)
    def draft_page(request: Request, incident_id: str) -> Response:
        return _page(request, portal, desk, incident_id)

    @routes.get("/incidents/{incident_id}/draft/{folder}/{name}", include_in_schema=False)
    def picture(incident_id: str, folder: str, name: str) -> Response:
        drawn = _finished(portal, desk, incident_id).charts.get(f"{folder}/{name}")
        if drawn is None:
            raise HTTPException(404, "the draft has no such picture")
        return Response(drawn, media_type="image/svg+xml", headers=_SVG_HEADERS)

    @routes.get("/incidents/{incident_id}/draft.zip", include_in_schema=False)
    def with_pictures(incident_id: str) -> Response:
        draft = _finished(portal, desk, incident_id)
        return _file(_packed(draft), "application/zip", f"{draft.incident_id}.zip")

    @routes.get("/incidents/{incident_id}/draft.md", include_in_schema=False)
    def as_markdown(incident_id: str) -> Response:
        draft = _finished(portal, desk, incident_id)
        return _file(draft.text.encode(), "text/markdown; charset=utf-8", f"{draft.incident_id}.md")

    @routes.get("/api/v1/incidents/{incident_id}/draft")
    def draft_of(incident_id: str) -> Draft:
        """The draft of a postmortem, from what is measured now; 503 while it is still being written."""
        return _finished(portal, desk, incident_id)


def _finished(portal: Portal, desk: DraftDesk, incident_id: str) -> Draft:
    draft = desk.draft(incident_view(portal, incident_id).incident)
    if draft is None:
        raise HTTPException(503, _WRITING)
    return draft


def _page(request: Request, portal: Portal, desk: DraftDesk, incident_id: str) -> Response:
    view = incident_view(portal, incident_id)
    draft = desk.draft(view.incident)
    if draft is None:
        waiting = page(request, "draft.html.j2", status_code=202, view=view, draft=None, document=None)
        waiting.headers["Refresh"] = "2"
        return waiting
    document = rendered(_without_marks(draft.text), web_address, lambda file: _picture(draft, file))
    return page(request, "draft.html.j2", view=view, draft=draft, document=document)


def _packed(draft: Draft) -> bytes:
    """The draft and its pictures, as they stand in a repository."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{draft.incident_id}.md", draft.text)
        for file, svg in draft.charts.items():
            archive.writestr(file, svg)
    return packed.getvalue()


def _file(content: bytes, media_type: str, name: str) -> Response:
    # Ids of incidents are file names, letters, digits and hyphens.
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)


def _without_marks(text: str) -> str:
    """The comments around measured blocks mean something in the file only."""
    return "\n".join("" if is_mark(line) else line for line in text.split("\n"))


def _picture(draft: Draft, file: str) -> str:
    return f"/incidents/{draft.incident_id}/draft/{file}" if file in draft.charts else ""
