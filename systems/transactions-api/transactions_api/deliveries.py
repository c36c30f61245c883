"""The account of all messages: published, stored, late, waiting. Its figures are taken at one moment, so they agree."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

LATE_AFTER_SECONDS = 10.0


class Figures(NamedTuple):
    """What the account says at one moment."""

    published: int
    stored: int
    late: int
    waiting: int
    oldest_age_seconds: float


class Deliveries(Collector):
    """Counts messages by id; safe for several threads.

    A message is late once it is older than ten seconds, whether it still waits or is stored only then, and is counted
    late once. Each late message was published before, so late never exceeds published.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._published = 0
        self._stored = 0
        self._late = 0
        self._waiting: dict[str, float] = {}
        """When each message that isn't stored was published; oldest first."""
        self._not_yet_late: deque[tuple[str, float]] = deque()

    def published(self, message_id: str) -> None:
        """A message was accepted by the topic."""
        with self._lock:
            now = self._clock()
            self._published += 1
            self._waiting[message_id] = now
            self._not_yet_late.append((message_id, now))

    def stored(self, message_ids: Iterable[str]) -> None:
        """Messages are in the database; those that were counted as stored before are not counted again."""
        with self._lock:
            self._count_late()
            for message_id in message_ids:
                if self._waiting.pop(message_id, None) is not None:
                    self._stored += 1

    def given_up(self, message_id: str) -> None:
        """A message will never be in the database: late from now on, and no longer waited for."""
        with self._lock:
            now = self._count_late()
            published = self._waiting.pop(message_id, None)
            if published is not None and now - published <= LATE_AFTER_SECONDS:
                self._late += 1  # who became late by waiting has been counted

    def waiting_ids(self) -> tuple[str, ...]:
        """The messages that are not known to be stored, oldest first."""
        with self._lock:
            return tuple(self._waiting)

    def figures(self) -> Figures:
        """All figures at this moment."""
        with self._lock:
            now = self._count_late()
            oldest = next(iter(self._waiting.values()), now)
            return Figures(self._published, self._stored, self._late, len(self._waiting), max(0.0, now - oldest))

    def collect(self) -> Iterable[Metric]:
        """The figures as metrics."""
        figures = self.figures()
        yield CounterMetricFamily(
            "transactions_published", "Transactions that the topic accepted.", value=figures.published
        )
        yield CounterMetricFamily("transactions_stored", "Transactions written to the database.", value=figures.stored)
        yield CounterMetricFamily(
            "transactions_late",
            f"Published transactions not in the database {LATE_AFTER_SECONDS:g} s later, counted once each.",
            value=figures.late,
        )
        yield GaugeMetricFamily(
            "transactions_queue_length", "Published transactions not yet in the database.", value=figures.waiting
        )
        yield GaugeMetricFamily(
            "transactions_oldest_message_age_seconds",
            "Age of the oldest transaction that waits for the database; 0 if none does.",
            value=figures.oldest_age_seconds,
        )

    def _count_late(self) -> float:
        """Count what became late by now; the time that is taken for now."""
        now = self._clock()
        while self._not_yet_late and now - self._not_yet_late[0][1] > LATE_AFTER_SECONDS:
            message_id, _ = self._not_yet_late.popleft()
            if message_id in self._waiting:
                self._late += 1
        return now
