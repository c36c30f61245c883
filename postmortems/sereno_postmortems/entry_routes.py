"""Where people's entries come in over HTTP."""

from collections.abc import Callable
from datetime import datetime

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from sereno_backends.inert_json import InertJson
from sereno_backends.serving import AUTHENTICATED_USER

from sereno_postmortems.described import refusals
from sereno_postmortems.documents import entry_document
from sereno_postmortems.entries import NotAnEntry, Submission, read_submission
from sereno_postmortems.receiver_metrics import EntryOutcome, ReceiverMetrics
from sereno_postmortems.requests import body_of, error_answer, is_from_here, no_such_incident, refusal
from sereno_postmortems.store import (
    EntryIdTaken,
    EntryRefused,
    IncidentStore,
    IncidentStoreUnavailable,
    NoSuchIncident,
)
from sereno_postmortems.webhook import NotJson

ENTRY_BODY = {
    "requestBody": {
        "required": True,
        "description": "One entry. `id` is made by the client: the same entry sent again changes nothing.",
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "example": {"id": "b1f0…", "kind": "mitigation", "text": "rolled 2.41 back", "helped": True},
            }
        },
    }
}


def add_entries(app: FastAPI, store: IncidentStore, metrics: ReceiverMetrics, clock: Callable[[], datetime]) -> None:
    """Add the route that writes entries."""

    @app.post(
        "/api/v1/incidents/{incident_id}/entries",
        openapi_extra=ENTRY_BODY,
        responses=refusals(400, 403, 404, 409, 413, 422, 503),
    )
    async def write(incident_id: str, request: Request) -> Response:
        """Add an entry: acknowledgement, note, mitigation, severity, impact, link, withdrawal. 200: it is on disk."""
        outcome, answer = await _written(incident_id, request, store, clock)
        metrics.entries.labels(outcome.value).inc()
        return answer


async def _written(  # noqa: PLR0911 - one for each reason to refuse
    incident_id: str, request: Request, store: IncidentStore, clock: Callable[[], datetime]
) -> tuple[EntryOutcome, Response]:
    user: str | None = request.scope.get(AUTHENTICATED_USER)
    if user is None and not is_from_here(request):
        message = "without users (--web-config) entries are only taken from this machine, under its own name"
        return EntryOutcome.UNAUTHENTICATED, error_answer(403, message)
    body = await body_of(request)
    if not isinstance(body, bytes):
        return EntryOutcome.REFUSED, refusal(body, "an entry is a few words; longer ones belong behind a link")
    match read_submission(body):
        case NotJson(reason):
            return EntryOutcome.REFUSED, error_answer(400, f"the body isn't JSON: {reason}")
        case NotAnEntry(problems):
            return EntryOutcome.REFUSED, error_answer(422, "the body isn't an entry", problems)
        case Submission() as submission:
            if user is not None and submission.author not in (None, user):
                message = f"you are {user}: entries are written under one's own name"
                return EntryOutcome.UNAUTHENTICATED, error_answer(403, message)
            author = user or submission.author
            if author is None:
                problem = "author: somebody's name is expected, because nobody had to log in here"
                return EntryOutcome.REFUSED, error_answer(422, "the body isn't an entry", (problem,))
            return await run_in_threadpool(_stored, store, incident_id, submission, author, clock())


def _stored(
    store: IncidentStore, incident_id: str, submission: Submission, author: str, now: datetime
) -> tuple[EntryOutcome, Response]:
    try:
        written = store.write(incident_id, submission, author=author, now=now)
    except NoSuchIncident:
        return EntryOutcome.REFUSED, no_such_incident(store, incident_id)
    except EntryIdTaken as error:
        return EntryOutcome.REFUSED, error_answer(409, str(error))
    except EntryRefused as error:
        return EntryOutcome.REFUSED, error_answer(422, "the entry contradicts the record", (str(error),))
    except IncidentStoreUnavailable as error:
        return EntryOutcome.UNAVAILABLE, error_answer(503, str(error))
    document = {"outcome": written.outcome.value, "entry": entry_document(written.entry)}
    return EntryOutcome(written.outcome.value), InertJson(document)
