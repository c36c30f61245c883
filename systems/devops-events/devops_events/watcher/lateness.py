"""Whether what was accepted is stored in time: counted by events, also those that are stuck."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from devops_events.platforms import PROVIDERS

LATE_AFTER_SECONDS: Final = 60.0
DOUBT_SECONDS: Final = 30.0
"""How much longer an event may stay unjudged while the store can't be asked: then nobody can read it, so it is late."""
CHUNK: Final = 5_000


@dataclass(frozen=True, slots=True)
class AcceptedEvent:
    """One event that a node has accepted."""

    key: str
    platform: str
    at_seconds: float
    """Since the epoch."""


class Lateness:
    """The account of accepted events whose 60 seconds are not over yet. All calls come from one event loop.

    Each event is counted as due once, when its time is over, and then perhaps as late: late never exceeds due.

    Args:
        registry: where the figures go.
        clock: seconds since the epoch.
    """

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._waiting: deque[AcceptedEvent] = deque()
        self._due = Counter(
            "devops_events_due_total",
            f"Accepted events whose {LATE_AFTER_SECONDS:g} s are over.",
            ["platform"],
            registry=registry,
        )
        self._late = Counter(
            "devops_events_late_total",
            f"Accepted events that were not stored within {LATE_AFTER_SECONDS:g} s, counted once each.",
            ["platform"],
            registry=registry,
        )
        waiting = Gauge(
            "devops_events_not_due_yet", "Accepted events whose time isn't over or that weren't looked for yet.",
            registry=registry,
        )  # fmt: skip
        waiting.set_function(lambda: len(self._waiting))
        for platform in PROVIDERS:
            self._due.labels(platform)
            self._late.labels(platform)

    def accepted(self, events: Iterable[AcceptedEvent]) -> None:
        """A node has accepted these."""
        self._waiting.extend(event for event in events if event.platform in PROVIDERS)

    def due(self) -> Sequence[AcceptedEvent]:
        """Some whose time is over: they are to be looked for in the store, and then judged."""
        over = self._clock() - LATE_AFTER_SECONDS
        found = []
        # Nodes are asked in turn, so those of another one may be older than what stands before them.
        for event in self._waiting:
            if event.at_seconds <= over:
                found.append(event)
                if len(found) == CHUNK:
                    break
        return found

    def judge(self, events: Sequence[AcceptedEvent], stored_at: Mapping[str, float] | None) -> None:
        """Count events that were due.

        Args:
            events: as `due` gave them.
            stored_at: by key, when those that are stored were, in seconds since the epoch; None: the store is silent.
        """
        in_doubt = self._clock() - LATE_AFTER_SECONDS - DOUBT_SECONDS
        judged = set()
        for event in events:
            if stored_at is None and event.at_seconds > in_doubt:
                continue
            judged.add(id(event))
            self._due.labels(event.platform).inc()
            at_seconds = (stored_at or {}).get(event.key)
            if at_seconds is None or at_seconds > event.at_seconds + LATE_AFTER_SECONDS:
                self._late.labels(event.platform).inc()
        if judged:
            self._waiting = deque(event for event in self._waiting if id(event) not in judged)
