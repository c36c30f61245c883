"""Where PagerDuty tells what people do with its incidents."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeAlias

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from sereno_backends.inert_json import InertJson

from sereno_postmortems.described import refusals
from sereno_postmortems.pagerduty import Ignored, NotPagerDuty, PagerDutyEvent, is_signed, read_event
from sereno_postmortems.receiver_metrics import EntryOutcome, ReceiverMetrics
from sereno_postmortems.requests import body_of, error_answer, refusal
from sereno_postmortems.secret_files import SecretUnreadable
from sereno_postmortems.store import IncidentStore, IncidentStoreUnavailable
from sereno_postmortems.webhook import NotJson

PATH = "/api/v1/pagerduty"
SIGNATURE = "x-pagerduty-signature"

Secrets: TypeAlias = Callable[[], Sequence[str]]
"""The secrets that are valid now; raises `SecretUnreadable`."""

EVENT_BODY = {
    "requestBody": {
        "required": True,
        "description": "PagerDuty's webhook body, version 3, signed in X-PagerDuty-Signature.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


def add_pagerduty(
    app: FastAPI,
    store: IncidentStore,
    metrics: ReceiverMetrics,
    clock: Callable[[], datetime],
    secrets: Secrets | None,
) -> None:
    """Add the route of the webhook; it shows a signature instead of a password."""

    @app.post(PATH, openapi_extra=EVENT_BODY, responses=refusals(400, 401, 403, 413, 422, 503))
    async def receive(request: Request) -> Response:
        """Take one event. 200 means that it is on disk, or nothing that the record takes; on 503 PagerDuty repeats."""
        outcome, answer = await _taken(request, store, clock, secrets)
        metrics.pagerduty_events.labels(outcome.value).inc()
        return answer


async def _taken(  # noqa: PLR0911 - one for each reason to refuse
    request: Request, store: IncidentStore, clock: Callable[[], datetime], secrets: Secrets | None
) -> tuple[EntryOutcome, Response]:
    if secrets is None:
        message = "no secret of PagerDuty's webhook is known here (--pagerduty-secret-file)"
        return EntryOutcome.UNAUTHENTICATED, error_answer(403, message)
    body = await body_of(request)
    if not isinstance(body, bytes):
        return EntryOutcome.REFUSED, refusal(body, "PagerDuty's own are smaller")
    try:
        valid = await run_in_threadpool(secrets)
    except SecretUnreadable as error:
        return EntryOutcome.UNAVAILABLE, error_answer(503, str(error))
    if not is_signed(body, request.headers.get(SIGNATURE, ""), valid):
        return EntryOutcome.UNAUTHENTICATED, error_answer(401, "no signature of a secret that is known here")
    match read_event(body, clock()):
        case NotJson(reason):
            return EntryOutcome.REFUSED, error_answer(400, f"the body isn't JSON: {reason}")
        case NotPagerDuty(problems):
            return EntryOutcome.REFUSED, error_answer(422, "the body isn't an event of PagerDuty (version 3)", problems)
        case Ignored():
            return EntryOutcome.IGNORED, InertJson({"outcome": EntryOutcome.IGNORED.value})
        case PagerDutyEvent() as event:
            return await run_in_threadpool(_stored, store, event, body)


def _stored(store: IncidentStore, event: PagerDutyEvent, body: bytes) -> tuple[EntryOutcome, Response]:
    try:
        outcome = EntryOutcome(store.record_event(event, body).value)
    except IncidentStoreUnavailable as error:
        return EntryOutcome.UNAVAILABLE, error_answer(503, str(error))
    return outcome, InertJson({"outcome": outcome.value})
