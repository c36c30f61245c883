"""An incident's page with its forms, and where people's entries come in."""

from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from sereno_backends.inert_json import InertJson
from sereno_postmortems.documents import entry_document
from sereno_postmortems.entry_routes import ENTRY_BODY
from sereno_postmortems.requests import Unread, body_of

from sereno_portal.pages.incidents.entries import Refused, Typed, blank, from_form, new_id, refused, written
from sereno_portal.pages.incidents.views import incident_view
from sereno_portal.portal import Portal
from sereno_portal.web.access import LONGEST_NAME, Visitor, is_foreign, visitor_of
from sereno_portal.web.described import refusals
from sereno_portal.web.forms import TOKEN, Forms, fields_of
from sereno_portal.web.rendering import HEADERS, page

Body = Annotated[bytes | Unread, Depends(body_of)]
_AUTHOR = "sereno_author"
_YEAR_SECONDS = 365 * 86_400
_OLD_FORM = "this form was shown before the portal began anew, or to somebody else: look at it, and send it once more"


def add_entries(routes: APIRouter, portal: Portal) -> None:
    """Add the page with the forms, and the routes that write."""
    desk = _Desk(portal)

    @routes.get("/incidents/{incident_id}", include_in_schema=False)
    def incident_page(request: Request, incident_id: str) -> Response:
        visitor = visitor_of(request, portal.configuration.user_header)
        return desk.shown(request, incident_id, visitor, blank(_usual_author(request)))

    @routes.post("/incidents/{incident_id}/entries", include_in_schema=False)
    def entry_from_form(request: Request, incident_id: str, body: Body) -> Response:
        return desk.taken_from_form(request, incident_id, body)

    @routes.post(
        "/api/v1/incidents/{incident_id}/entries", openapi_extra=ENTRY_BODY, responses=refusals(400, 403, 409, 413, 415)
    )
    def write_entry(request: Request, incident_id: str, body: Body) -> JSONResponse:
        """Add an entry: acknowledgement, note, mitigation, severity, impact, link, withdrawal. 200: it is on disk."""
        return desk.taken_from_json(request, incident_id, body)


class _Desk:
    """Where entries are taken, and the page that has the forms for them."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._user_header = portal.configuration.user_header
        self._forms = Forms()

    def shown(self, request: Request, incident_id: str, visitor: Visitor, typed: Typed) -> Response:
        """The page, what was typed standing in its forms."""
        view = incident_view(self._portal, incident_id)
        nonce = self._forms.nonce(request)
        answer = page(
            request,
            "incident.html.j2",
            status_code=typed.status_code,
            view=view,
            visitor=visitor,
            typed=typed,
            token=self._forms.token(nonce, visitor.user, incident_id),
            new_id=new_id,
            behind_proxy=self._user_header is not None,
        )
        if visitor.may_write:
            self._forms.remember(request, answer, nonce)
        return answer

    def taken_from_form(self, request: Request, incident_id: str, body: bytes | Unread) -> Response:
        """Back to the page when it is written; the same page with the reason when it isn't."""
        visitor = _writer(request, self._user_header)
        if isinstance(body, Unread):
            raise HTTPException(refused(body).status_code, "; ".join(refused(body).problems))
        fields = fields_of(body)
        if self._forms.is_genuine(request, visitor.user, incident_id, fields.get(TOKEN, "")):
            outcome = written(self._portal.incident_shelf, incident_id, from_form(fields), visitor)
        else:
            outcome = Refused(403, (_OLD_FORM,))
        if isinstance(outcome, Refused):
            return self._shown_again(request, incident_id, visitor, outcome.typed(fields))
        answer = RedirectResponse(
            f"/incidents/{quote(incident_id, safe='')}#happened", status_code=303, headers=HEADERS
        )
        if visitor.types_name:
            author = quote(outcome.entry.author)
            answer.set_cookie(_AUTHOR, author, max_age=_YEAR_SECONDS, httponly=True, samesite="lax")
        return answer

    def _shown_again(self, request: Request, incident_id: str, visitor: Visitor, typed: Typed) -> Response:
        try:
            return self.shown(request, incident_id, visitor, typed)
        except HTTPException as error:  # a late delivery renumbers incidents: the words must not be lost by that
            raise HTTPException(error.status_code, f"{error.detail}. What you wrote: {typed.value('text')}") from error

    def taken_from_json(self, request: Request, incident_id: str, body: bytes | Unread) -> JSONResponse:
        """The entry as it is on record."""
        visitor = _writer(request, self._user_header)
        # A form of a foreign page can send any text, but not under this type.
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise HTTPException(415, "an entry is JSON: send it as application/json")
        incident_view(self._portal, incident_id)
        outcome = written(self._portal.incident_shelf, incident_id, body, visitor)
        if isinstance(outcome, Refused):
            problems = list(outcome.problems)
            return InertJson({"error": "; ".join(problems), "problems": problems}, outcome.status_code, HEADERS)
        return InertJson({"outcome": outcome.outcome.value, "entry": entry_document(outcome.entry)}, headers=HEADERS)


def _writer(request: Request, user_header: str | None) -> Visitor:
    """Whoever may write; others are refused before anything is looked at."""
    if is_foreign(request):
        raise HTTPException(403, "web pages of another origin may not post here")
    visitor = visitor_of(request, user_header)
    if visitor.may_write:
        return visitor
    if user_header is not None:
        raise HTTPException(403, "the proxy in front of this page didn't say who you are")
    raise HTTPException(
        403, "without users (--web-config) entries are only taken from this machine, under its own name"
    )


def _usual_author(request: Request) -> str:
    """The name that was typed last in this browser."""
    return unquote(request.cookies.get(_AUTHOR, ""))[:LONGEST_NAME]
