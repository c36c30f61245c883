"""The HTTP application that receives DevOps webhooks: authenticate, translate, store, and only then say yes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol, assert_never

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from sereno_backends.devops import Delivery, DevOpsEventStore, DevOpsStoreUnavailable, Disposition, Recorded
from sereno_backends.inert_json import InertJson
from starlette.requests import ClientDisconnect

from sereno_collectors.devops.authentication import Refused, Scheme, authenticate, header_of, offered
from sereno_collectors.devops.bodies import BodyReader, TooLarge, TooMany, TooSlow, is_json
from sereno_collectors.devops.metrics import UNKNOWN_SOURCE, Outcome, ReceiverMetrics
from sereno_collectors.devops.model import Ignored, Message, Source
from sereno_collectors.devops.providers import ADAPTERS
from sereno_collectors.devops.recorder import Recorder
from sereno_collectors.devops.secret_files import SecretFiles
from sereno_collectors.devops.translation import delivery_of

WEBHOOKS: Final = "/api/v1/devops/"
"""Where webhooks come, followed by the source's name: the receiver itself asks there who sends."""
LARGE_BYTES: Final = 64 * 1024
"""Bodies beyond this are worked on in a thread; for smaller ones the way there takes longer than the work."""

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
class _Refusal:
    """An answer that isn't yes."""

    status_code: int
    outcome: Outcome
    message: str


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
        self._secrets = {source.name: SecretFiles(source.secret_files) for source in parts.sources}
        self._clock = parts.clock
        self._metrics = metrics
        self._recorder = Recorder(parts.store)
        self._bodies = parts.bodies

    async def receive(self, name: str, request: Request) -> Response:
        """One delivery, from its head to the answer."""
        source = self._sources.get(name)
        if source is None:
            return self._no(UNKNOWN_SOURCE, _Refusal(404, Outcome.UNKNOWN_SOURCE, "no source of that name"))
        message = await self._authentic(source, request)
        if isinstance(message, _Refusal):
            return self._no(name, message)
        adapter, now = ADAPTERS[source.provider], self._clock()
        self._metrics.authentic(name, now)
        if not adapter.event_type(message):
            return self._no(name, _Refusal(400, Outcome.INVALID, "the delivery doesn't say what it tells of"))
        # Pushes of thousands of commits take a while: others are answered meanwhile.
        delivery = await _off_the_loop(message.body, delivery_of, source, adapter, message, now)
        if isinstance(delivery, Ignored):
            return self._yes(name, Outcome.IGNORED, 202, reason=delivery.reason)
        return await self._recorded(delivery)

    async def _recorded(self, delivery: Delivery) -> Response:
        """Bring it to disk, then say yes."""
        name = delivery.source
        try:
            receipt = await self._recorder.record(delivery)
        except DevOpsStoreUnavailable as error:
            return self._no(name, _Refusal(503, Outcome.UNAVAILABLE, str(error)))
        self._metrics.count_events(receipt.new_events)
        if receipt.outcome is Recorded.DUPLICATE:
            return self._yes(name, Outcome.DUPLICATE, 200)
        if delivery.disposition is Disposition.UNKNOWN_SCHEMA:
            return self._yes(name, Outcome.UNKNOWN_SCHEMA, 202, reason=delivery.reason)
        return self._yes(name, Outcome.STORED, 200, events=len(receipt.new_events))

    async def _authentic(self, source: Source, request: Request) -> Message | _Refusal:
        """The message, or why it isn't taken. Nobody's body is read who shows no credentials at all."""
        headers = _joined(request)
        secrets = self._secrets[source.name].current()
        scheme = _scheme_of(source, headers, secrets)
        if isinstance(scheme, _Refusal):
            return scheme
        try:
            body = await self._bodies.read(request)
        except ClientDisconnect:
            return _Refusal(400, Outcome.INVALID, "the connection ended before the body did")
        match body:
            case TooLarge():
                return _Refusal(413, Outcome.TOO_LARGE, "the body is too large")
            case TooSlow():
                return _Refusal(408, Outcome.INVALID, "the body didn't come in time")
            case TooMany():
                return _Refusal(503, Outcome.UNAVAILABLE, "too much is being received at once")
            case bytes():
                message = Message(headers, body, None)
                checked: Message | _Refusal = await _off_the_loop(body, self._checked, scheme, message, secrets)
                return checked
            case _:
                assert_never(body)

    def _checked(self, scheme: Scheme, message: Message, secrets: Sequence[str]) -> Message | _Refusal:
        match authenticate(scheme, message.headers, message.body, secrets, self._clock()):
            case Refused.MISSING:
                return _Refusal(401, Outcome.UNAUTHENTICATED, "the credentials are incomplete")
            case Refused.WRONG:
                return _Refusal(401, Outcome.UNAUTHENTICATED, "the credentials are wrong")
            case Refused.STALE:
                return _Refusal(401, Outcome.STALE, "signed for another time: more than five minutes from now")
            case None:
                pass
        try:
            return Message(message.headers, message.body, orjson.loads(message.body))
        except orjson.JSONDecodeError as error:
            return _Refusal(400, Outcome.INVALID, f"the body isn't JSON: {error.msg}")

    def _yes(self, source: str, outcome: Outcome, status_code: int, **told: Any) -> Response:
        self._metrics.count(source, outcome)
        return InertJson({"outcome": outcome.value, **told}, status_code)

    def _no(self, source: str, refusal: _Refusal) -> Response:
        self._metrics.count(source, refusal.outcome)
        headers = {401: {"WWW-Authenticate": 'Basic realm="sereno"'}, 503: {"Retry-After": "5"}}
        return InertJson({"error": refusal.message}, refusal.status_code, headers.get(refusal.status_code))


def _scheme_of(source: Source, headers: Mapping[str, str], secrets: Sequence[str]) -> Scheme | _Refusal:
    """How the delivery is to be authenticated, by its head alone."""
    if not secrets:
        return _Refusal(503, Outcome.UNAVAILABLE, "the source has no secret that can be used now")
    schemes = ADAPTERS[source.provider].schemes
    scheme = offered(schemes, headers, secrets)
    if scheme is None:
        wanted = " or ".join(header_of(one) for one in schemes)
        return _Refusal(401, Outcome.UNAUTHENTICATED, f"no credentials: {wanted} is expected")
    if not is_json(headers.get("content-type", "")):
        return _Refusal(415, Outcome.INVALID, "application/json is expected; choose it as the webhook's media type")
    if headers.get("content-encoding", "identity").lower() != "identity":
        return _Refusal(415, Outcome.INVALID, "compressed bodies aren't taken")
    return scheme


async def _off_the_loop(body: bytes, work: Callable[..., Any], *arguments: Any) -> Any:
    return await run_in_threadpool(work, *arguments) if len(body) > LARGE_BYTES else work(*arguments)


def _joined(request: Request) -> Mapping[str, str]:
    """The headers by their names in lower case; of one that is there twice, nothing is believed but that it is."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
