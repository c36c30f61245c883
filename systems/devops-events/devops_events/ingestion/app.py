"""What platforms deliver to: verify, claim, publish, and only then say yes."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from fastapi import Depends, FastAPI, Request, Response
from prometheus_client import CollectorRegistry
from reference_system.disturbance import Disturbance
from reference_system.failures import TRY_LATER, Answer, log_failures
from sereno_backends.inert_json import InertJson
from sereno_collectors.devops.admission import Admission, Refusal
from sereno_collectors.devops.bodies import BodyReader
from sereno_collectors.devops.metrics import Outcome
from sereno_collectors.devops.model import Message, Source
from sereno_collectors.devops.providers import ADAPTERS
from sereno_telemetry import publishing

from devops_events.envelope import MESSAGING_SYSTEM, QUEUE, Envelope, enclose
from devops_events.ingestion.accepted import Accepted
from devops_events.ingestion.claims import Claims, Published
from devops_events.ingestion.faults import VaultTimeout
from devops_events.ingestion.metrics import IngestionMetrics
from devops_events.ingestion.publisher import BrokerUnavailable, Publisher
from devops_events.platforms import UNKNOWN, WEBHOOKS, idempotency_key

_ANSWERS = {BrokerUnavailable: TRY_LATER, VaultTimeout: Answer(500, "the delivery could not be verified")}
_LOWEST_SERVER_ERROR = 500

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a node works with."""

    node: str
    sources: Mapping[str, Source]
    claims: Claims
    publisher: Publisher
    accepted: Accepted
    metrics: IngestionMetrics
    registry: CollectorRegistry
    clock: Callable[[], datetime]
    """Aware UTC."""


def create_app(parts: Parts, disturbance: Disturbance) -> FastAPI:
    """The webhooks' address over its parts."""
    app = FastAPI(title="DevOps events: ingestion", version="1.0.0", redirect_slashes=False)
    log_failures(app, _ANSWERS)
    ingestion = _Ingestion(parts)

    @app.post(WEBHOOKS + "{platform}", dependencies=[Depends(disturbance)])
    async def receive(platform: str, request: Request) -> Response:
        """Take one delivery: 202 means that it is on the queue, 200 that it was before."""
        return await ingestion.receive(platform, request)

    @app.get("/health")
    async def health() -> Mapping[str, str]:
        """The process answers; whether it does its work is what its SLOs say."""
        return {"status": "ok"}

    return app


class _Ingestion:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._admission = Admission(tuple(parts.sources.values()), parts.clock, BodyReader())

    async def receive(self, platform: str, request: Request) -> Response:
        """One delivery, from its head to the answer."""
        source = self._parts.sources.get(platform)
        if source is None:
            return self._no(UNKNOWN, Refusal(404, Outcome.UNKNOWN_SOURCE, "no platform of that name"))
        message = await self._admission.admit(source, request)
        if isinstance(message, Refusal):
            return self._no(platform, message)
        event_type = ADAPTERS[source.provider].event_type(message)
        if not event_type:
            return self._no(platform, Refusal(400, Outcome.INVALID, "the delivery doesn't say what it tells of"))
        return await self._once(self._enclosed(source, event_type, message))

    def _enclosed(self, source: Source, event_type: str, message: Message) -> Envelope:
        return enclose(
            message,
            key=idempotency_key(source, message),
            platform=source.name,
            event_type=event_type,
            received_at=self._parts.clock(),
            node=self._parts.node,
        )

    async def _once(self, envelope: Envelope) -> Response:
        """Publish it, unless it was published before."""
        key, platform, metrics = envelope.key, envelope.platform, self._parts.metrics
        claim = await self._parts.claims.claim(key)
        metrics.claim(claim)
        if isinstance(claim, Published):
            metrics.duplicate(platform)
            return InertJson({"outcome": "duplicate", "key": key}, 200)
        try:
            with publishing(QUEUE, system=MESSAGING_SYSTEM, registry=self._parts.registry) as headers:
                await self._parts.publisher.publish(envelope, headers)
        except BrokerUnavailable:
            metrics.refused(platform, Outcome.UNAVAILABLE)
            await self._parts.claims.release(key, claim)
            raise
        self._parts.accepted.add(key, platform, envelope.received_at.timestamp())
        metrics.accepted(platform)
        await self._parts.claims.done(key)
        return InertJson({"outcome": "accepted", "key": key}, 202)

    def _no(self, platform: str, refusal: Refusal) -> Response:
        self._parts.metrics.refused(platform, refusal.outcome)
        _logger.log(
            logging.ERROR if refusal.status_code >= _LOWEST_SERVER_ERROR else logging.WARNING,
            "A delivery of %s was answered %d: %s",
            platform,
            refusal.status_code,
            refusal.message,
            extra={"ecs": {"event.reason": refusal.outcome.value}},
        )
        return InertJson({"error": refusal.message}, refusal.status_code, refusal.headers)
