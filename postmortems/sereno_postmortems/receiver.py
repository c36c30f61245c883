"""The HTTP application that receives pages and what people do about them, and gives out incident records."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import FastAPI, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from sereno_backends.incidents import IncidentStatus
from sereno_backends.inert_json import InertJson

from sereno_postmortems.described import refusals
from sereno_postmortems.documents import incident_document
from sereno_postmortems.entry_routes import add_entries
from sereno_postmortems.pagerduty_routes import Secrets, add_pagerduty
from sereno_postmortems.pages import add_pages
from sereno_postmortems.receiver_metrics import Outcome, ReceiverMetrics
from sereno_postmortems.requests import Unread, body_of, error_answer, no_such_incident, refusal
from sereno_postmortems.store import IncidentStore, IncidentStoreUnavailable, Recorded
from sereno_postmortems.webhook import Delivery, NotAlertmanager, NotJson, read_delivery

WEBHOOK_BODY = {
    "requestBody": {
        "required": True,
        "description": "Alertmanager's webhook body, version 4.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


_REFUSALS = {
    Unread.FOREIGN_ORIGIN: Outcome.FOREIGN_ORIGIN,
    Unread.BROKEN_OFF: Outcome.INVALID,
    Unread.TOO_LARGE: Outcome.TOO_LARGE,
}


def create_receiver(
    store: IncidentStore, *, clock: Callable[[], datetime], pagerduty_secrets: Secrets | None = None
) -> FastAPI:
    """The application on a prepared store.

    Args:
        store: prepared.
        clock: gives the aware UTC time at which something is received.
        pagerduty_secrets: those that may sign PagerDuty's webhook now; without them it is refused.
    """
    app = FastAPI(
        title="Sereno incidents",
        summary="Receives Alertmanager's and PagerDuty's webhooks and keeps durable incident records.",
        default_response_class=InertJson,
    )
    metrics = ReceiverMetrics(store, CollectorRegistry())
    app.add_exception_handler(IncidentStoreUnavailable, _unavailable)
    app.add_exception_handler(RequestValidationError, _wrong_parameters)
    _add_webhook(app, store, metrics, clock)
    _add_records(app, store)
    add_pages(app, store, clock)
    add_entries(app, store, metrics, clock)
    add_pagerduty(app, store, metrics, clock, pagerduty_secrets)
    _add_self_observation(app, store, metrics)
    return app


def _add_webhook(app: FastAPI, store: IncidentStore, metrics: ReceiverMetrics, clock: Callable[[], datetime]) -> None:
    @app.post("/api/v1/alertmanager", openapi_extra=WEBHOOK_BODY, responses=refusals(400, 403, 413, 422, 503))
    async def receive(request: Request) -> Response:
        """Take one delivery. 200 means that it is on disk; on 503 Alertmanager tries again."""
        body = await body_of(request)
        if not isinstance(body, bytes):
            metrics.count(_REFUSALS[body])
            return refusal(body, "set max_alerts in webhook_configs")
        match read_delivery(body, clock()):
            case NotJson(reason):
                metrics.count(Outcome.INVALID)
                return error_answer(400, f"the body isn't JSON: {reason}")
            case NotAlertmanager(problems):
                metrics.count(Outcome.INVALID)
                return error_answer(422, "the body isn't a webhook delivery of Alertmanager (version 4)", problems)
            case Delivery() as delivery:
                outcome = await run_in_threadpool(_take, store, metrics, delivery, body)
                return InertJson({"outcome": outcome.value})


def _take(store: IncidentStore, metrics: ReceiverMetrics, delivery: Delivery, body: bytes) -> Outcome:
    """Store a delivery and count what became of it."""
    if any(alert.is_watchdog for alert in delivery.alerts):
        metrics.watchdog_seen(delivery.received_at)
    if delivery.is_only_watchdog:
        outcome = Outcome.WATCHDOG
    else:
        try:
            recorded = store.record(delivery, body)
        except IncidentStoreUnavailable:
            metrics.count(Outcome.UNAVAILABLE)
            raise
        outcome = Outcome.STORED if recorded is Recorded.STORED else Outcome.DUPLICATE
    metrics.count(outcome)
    return outcome


def _add_records(app: FastAPI, store: IncidentStore) -> None:
    @app.get("/api/v1/incidents", responses=refusals(422, 503))
    def list_incidents(
        status: IncidentStatus | None = None, limit: Annotated[int, Query(ge=1, le=10_000)] = 1000
    ) -> Response:
        """The incidents opened last, newest first."""
        return InertJson({"incidents": [incident_document(found) for found in store.incidents(status, limit=limit)]})

    @app.get("/api/v1/incidents/{incident_id}", responses=refusals(404, 422, 503))
    def get_incident(incident_id: str) -> Response:
        """One incident with its alerts and notifications."""
        incident = store.incident(incident_id)
        if incident is not None:
            return InertJson(incident_document(incident))
        return no_such_incident(store, incident_id)


def _add_self_observation(app: FastAPI, store: IncidentStore, metrics: ReceiverMetrics) -> None:
    @app.get("/health", responses=refusals(503))
    def health() -> Response:
        """200 while deliveries can be written, else 503."""
        store.check_writable()
        return InertJson({"status": "ok"})

    @app.get("/metrics", response_class=PlainTextResponse, responses=refusals(503))
    def scrape() -> Response:
        """The receiver's own metrics for Prometheus."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _unavailable(_: Request, error: Exception) -> Response:
    return error_answer(503, str(error))


def _wrong_parameters(_: Request, error: Exception) -> Response:
    """FastAPI's findings in the form of all other errors, without repeating the input."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for nothing else
    problems = tuple(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
    return error_answer(422, "the parameters are wrong", problems)
