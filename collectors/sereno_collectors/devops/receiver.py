"""The HTTP application that receives DevOps webhooks: authenticate, translate, store, and only then say yes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from sereno_backends.devops import Delivery, DevOpsEventStore, DevOpsStoreUnavailable, Disposition, Recorded
from sereno_backends.inert_json import InertJson

from sereno_collectors.devops.admission import Admission, Refusal, off_the_loop
from sereno_collectors.devops.bodies import BodyReader
from sereno_collectors.devops.metrics import UNKNOWN_SOURCE, Outcome, ReceiverMetrics
from sereno_collectors.devops.model import Ignored, Source
from sereno_collectors.devops.providers import ADAPTERS
from sereno_collectors.devops.recorder import Recorder
from sereno_collectors.devops.translation import delivery_of

WEBHOOKS: Final = "/api/v1/devops/"
"""Where webhooks come, followed by the source's name: the receiver itself asks there who sends."""

DELIVERY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "What the source's provider sends; docs/devops.md.",
        "content": {"application/json": {"schema": {}}},
    }
}
ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "On disk, or known to be there: `outcome` is stored or duplicate."},
    202: {"description": "Authentic, but no event: `outcome` is ignored or unknown_schema, with the reason."},
    400: {"description": "The body is no JSON, or doesn't say what it tells of."},
    401: {"description": "Not authentic, or signed for another time."},
    404: {"description": "The configuration has no source of that name."},
    408: {"description": "The body didn't come in time."},
    413: {"description": "The body is too large."},
    415: {"description": "The media type isn't JSON."},
    503: {"description": "It can't be stored now: to be sent again."},
}


class HoldsEvents(DevOpsEventStore, Protocol):
    """A store whose health can be asked for."""

    def check_writable(self) -> None:
        """Return if it can be written."""
        ...


@dataclass(frozen=True, slots=True)
class ReceiverParts:
    """What the receiver works with."""

    sources: Sequence[Source]
    store: HoldsEvents
    registry: CollectorRegistry
    clock: Callable[[], datetime]
    """Gives the aware UTC time at which a delivery is received."""
    bodies: BodyReader = field(default_factory=BodyReader)


def create_receiver(parts: ReceiverParts) -> FastAPI:
    """The application on a prepared store."""
    app = FastAPI(
        title="Sereno DevOps webhooks",
        summary="Receives the webhooks of development platforms and keeps what they tell.",
        default_response_class=InertJson,
        redirect_slashes=False,  # a sender that follows no redirection would lose its delivery without a word
    )
    metrics = ReceiverMetrics([source.name for source in parts.sources], parts.store, parts.registry)
    receiver = _Receiver(parts, metrics)

    @app.post(WEBHOOKS + "{source}", openapi_extra=DELIVERY, responses=ANSWERS)
    async def receive(source: str, request: Request) -> Response:
        """Take one delivery. 200 means that it is on disk; on 503 it is to be sent again."""
        return await receiver.receive(source, request)

    @app.get("/health", responses={503: {"description": "Deliveries can't be written."}})
    def health() -> Response:
        """200 while deliveries can be written, else 503."""
        try:
            parts.store.check_writable()
        except DevOpsStoreUnavailable as error:
            return InertJson({"error": str(error)}, 503)
        return InertJson({"status": "ok"})

    @app.get("/metrics", response_class=PlainTextResponse)
    def scrape() -> Response:
        """The receiver's own metrics for Prometheus."""
        return Response(generate_latest(parts.registry), media_type=CONTENT_TYPE_LATEST)

    return app


class _Receiver:
    def __init__(self, parts: ReceiverParts, metrics: ReceiverMetrics) -> None:
        self._sources = {source.name: source for source in parts.sources}
        self._admission = Admission(parts.sources, parts.clock, parts.bodies)
        self._clock = parts.clock
        self._metrics = metrics
        self._recorder = Recorder(parts.store)

    async def receive(self, name: str, request: Request) -> Response:
        """One delivery, from its head to the answer."""
        source = self._sources.get(name)
        if source is None:
            return self._no(UNKNOWN_SOURCE, Refusal(404, Outcome.UNKNOWN_SOURCE, "no source of that name"))
        message = await self._admission.admit(source, request)
        if isinstance(message, Refusal):
            return self._no(name, message)
        adapter, now = ADAPTERS[source.provider], self._clock()
        self._metrics.authentic(name, now)
        if not adapter.event_type(message):
            return self._no(name, Refusal(400, Outcome.INVALID, "the delivery doesn't say what it tells of"))
        # Pushes of thousands of commits take a while: others are answered meanwhile.
        delivery = await off_the_loop(message.body, delivery_of, source, adapter, message, now)
        if isinstance(delivery, Ignored):
            return self._yes(name, Outcome.IGNORED, 202, reason=delivery.reason)
        return await self._recorded(delivery)

    async def _recorded(self, delivery: Delivery) -> Response:
        """Bring it to disk, then say yes."""
        name = delivery.source
        try:
            receipt = await self._recorder.record(delivery)
        except DevOpsStoreUnavailable as error:
            return self._no(name, Refusal(503, Outcome.UNAVAILABLE, str(error)))
        self._metrics.count_events(receipt.new_events)
        if receipt.outcome is Recorded.DUPLICATE:
            return self._yes(name, Outcome.DUPLICATE, 200)
        if delivery.disposition is Disposition.UNKNOWN_SCHEMA:
            return self._yes(name, Outcome.UNKNOWN_SCHEMA, 202, reason=delivery.reason)
        return self._yes(name, Outcome.STORED, 200, events=len(receipt.new_events))

    def _yes(self, source: str, outcome: Outcome, status_code: int, **told: Any) -> Response:
        self._metrics.count(source, outcome)
        return InertJson({"outcome": outcome.value, **told}, status_code)

    def _no(self, source: str, refusal: Refusal) -> Response:
        self._metrics.count(source, refusal.outcome)
        return InertJson({"error": refusal.message}, refusal.status_code, refusal.headers)
