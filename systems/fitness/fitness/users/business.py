"""Business events as they are made and counted."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter
from sereno_telemetry import publishing

from fitness.events import KINDS, LIST, MESSAGING_SYSTEM, TRAINING_TYPES, Event, Kind, Training
from fitness.users.outbox import Outgoing

REFUSALS = ("wrong_password", "blocked")


class Business:
    """Makes events, and counts what has happened.

    Args:
        registry: where the counters go.
        wake: told after each event that was committed.
    """

    def __init__(self, registry: CollectorRegistry, wake: Callable[[], None]) -> None:
        self._registry = registry
        self._wake = wake
        self._events = Counter(
            "fitness_business_events", "What has happened, as committed with its event.", ["kind"], registry=registry
        )
        self._trainings = Counter(
            "fitness_trainings_created", "Trainings that were created.", ["training"], registry=registry
        )
        self._refused = Counter("fitness_log_ins_refused", "Log-ins that were refused.", ["reason"], registry=registry)
        for counter, values in ((self._events, KINDS), (self._trainings, TRAINING_TYPES), (self._refused, REFUSALS)):
            for value in values:
                counter.labels(value)

    def event(self, kind: Kind, user: str, training: Training | None = None) -> Outgoing:
        """An event as it leaves: with the trace of the request that makes it, and the time."""
        event = Event(id=uuid.uuid4().hex, kind=kind, user=user, at=datetime.now(UTC), training=training)
        with publishing(LIST, system=MESSAGING_SYSTEM, registry=self._registry) as headers:
            payload = headers.envelope(event.model_dump_json(exclude_none=True))
        return Outgoing(event.id, payload)

    def has_happened(self, kind: Kind, training: Training | None = None) -> None:
        """It is committed."""
        self._events.labels(kind).inc()
        if training is not None:
            self._trainings.labels(training.type).inc()
        self._wake()

    def log_in_refused(self, reason: str) -> None:
        """Somebody wasn't let in."""
        self._refused.labels(reason).inc()
