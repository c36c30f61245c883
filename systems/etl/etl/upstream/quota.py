"""How many requests a key may make in an hour."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

HOUR_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Grant:
    """What the quota says to one request."""

    granted: bool
    limit: int
    remaining: int
    reset_after_seconds: int
    """Until the next hour of the clock begins, with which all are there again."""

    def headers(self) -> dict[str, str]:
        """As such APIs tell it."""
        told = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset_after_seconds),
        }
        return told if self.granted else {**told, "Retry-After": str(self.reset_after_seconds)}


class Quota:
    """Counts the requests of a clock's hour; safe for several threads.

    Args:
        limit: how many an hour may have.
        others_per_second: how many somebody else makes with our key just now; 0: the shop has stopped it, and given
            back what it took.
        clock: seconds since the epoch.
    """

    def __init__(self, limit: int, others_per_second: Callable[[], float], clock: Callable[[], float]) -> None:
        self._limit = limit
        self._others_per_second = others_per_second
        self._clock = clock
        self._lock = threading.Lock()
        self._hour = 0
        self._used = 0
        self._taken_by_others = 0.0
        self._looked_at = clock()

    def ask(self, requests: int = 1) -> Grant:
        """Take so many of what is left; 0 only looks."""
        with self._lock:
            now = self._clock()
            hour = int(now // HOUR_SECONDS)
            if hour != self._hour:
                self._hour, self._used, self._taken_by_others = hour, 0, 0.0
                self._looked_at = max(self._looked_at, hour * HOUR_SECONDS)
            self._look_at_others(now)
            granted = self._used + self._taken_by_others + requests <= self._limit
            if granted:
                self._used += requests
            remaining = int(self._limit - self._used - self._taken_by_others)
            return Grant(granted, self._limit, remaining, int((hour + 1) * HOUR_SECONDS - now) + 1)

    def _look_at_others(self, now: float) -> None:
        per_second = self._others_per_second()
        taken = self._taken_by_others + per_second * max(0.0, now - self._looked_at)
        self._taken_by_others = min(self._limit - self._used, taken) if per_second else 0.0
        self._looked_at = now
