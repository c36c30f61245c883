"""Runs a part's fetch so that a target that hangs costs its own timeout and one thread, never more."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event, Lock, Thread
from typing import Any, Generic, TypeVar

from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.model import Part
from sereno_exporters.frame.trouble import MAY_PASS, FetchError, Reason

Snapshot = TypeVar("Snapshot")
Clock = Callable[[], float]

_PAUSE_SECONDS = 0.1
"""Before the second try, half of it and the other half by chance."""
_LEAST_SECONDS = 0.3
"""That must be left for a second try to make sense."""


@dataclass(frozen=True, slots=True)
class Fetched(Generic[Snapshot]):
    """What was brought, and how old it is."""

    snapshot: Snapshot
    age_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Failed:
    """Why nothing was brought."""

    reason: Reason
    message: str


Outcome = Fetched[Any] | Failed


@dataclass(slots=True)
class _Flight:
    """One run of a fetch in its thread, which several scrapes may wait for."""

    deadline: Deadline
    ended: Event = field(default_factory=Event)
    ended_at: float = 0.0
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Waited:
    """What a scrape got of a part, and when, by the monotonic clock."""

    outcome: Outcome
    at: float


class Fetcher:
    """Fetches one part of one target, once at a time: scrapes that come meanwhile wait for the same answer.

    A thread can't be ended from outside. So a fetch that hangs keeps its one thread, the scrape goes on without it, and
    until it returns each further scrape is told so instead of starting another. What it brings after its time is thrown
    away: it would be old. A scrape that has more time than the one whose fetch it joined asks again with its own.
    """

    def __init__(self, part: Part[Any], *, clock: Clock = time.monotonic, chance: Clock = random.random) -> None:
        self.part = part
        self._clock = clock
        self._chance = chance
        self._lock = Lock()
        self._flight: _Flight | None = None
        self._kept: tuple[float, Any] | None = None

    def begin(self, deadline: Deadline) -> Callable[[], Waited]:
        """Start, or join what runs already; calling the result waits, until the deadline at the latest."""
        with self._lock:
            if (kept := self._fresh()) is not None:
                return partial(Waited, kept, self._clock())
            flight = self._flight
            if flight is None:
                flight = _Flight(deadline)
                try:
                    Thread(target=self._run, args=(flight,), name=f"fetch {self.part.name}", daemon=True).start()
                except RuntimeError as error:
                    return partial(Waited, Failed(Reason.UNEXPECTED, str(error)), self._clock())
                self._flight = flight
        return partial(self._awaited, flight, deadline)

    def close(self) -> None:
        """End the waits of all scrapes: the server ends, and the fetch that hangs ends with it."""
        with self._lock:
            if (flight := self._flight) is not None:
                flight.outcome = Failed(Reason.TIMEOUT, "the exporter ends")
                flight.ended_at = self._clock()
                flight.ended.set()

    def _awaited(self, flight: _Flight, deadline: Deadline) -> Waited:
        if flight.ended.wait(deadline.remaining_seconds) and flight.outcome is not None:
            if _was_too_short(flight, deadline):
                return self.begin(deadline)()
            return Waited(flight.outcome, flight.ended_at)
        why = (
            "no answer in time" if flight.deadline == deadline else "the fetch of a scrape before this one still hangs"
        )
        return Waited(Failed(Reason.TIMEOUT, why), deadline.ends_at)

    def _fresh(self) -> Fetched[Any] | None:
        if self._kept is None or self.part.reuse_seconds <= 0:
            return None
        fetched_at, snapshot = self._kept
        age_seconds = self._clock() - fetched_at
        return Fetched(snapshot, age_seconds) if age_seconds < self.part.reuse_seconds else None

    def _run(self, flight: _Flight) -> None:
        begun = self._clock()
        outcome = self._tried_twice(flight.deadline)
        if flight.deadline.has_passed and isinstance(outcome, Fetched):
            outcome = Failed(Reason.TIMEOUT, f"the answer came after {self._clock() - begun:.1f} s, too late")
        with self._lock:
            if isinstance(outcome, Fetched) and self.part.reuse_seconds > 0:
                self._kept = (begun, outcome.snapshot)
            flight.outcome, flight.ended_at = outcome, self._clock()
            self._flight = None
        flight.ended.set()

    def _tried_twice(self, deadline: Deadline) -> Outcome:
        outcome = self._tried(deadline)
        if isinstance(outcome, Failed) and outcome.reason in MAY_PASS and deadline.remaining_seconds > _LEAST_SECONDS:
            time.sleep(_PAUSE_SECONDS * (0.5 + self._chance() / 2))
            again = self._tried(deadline)
            return again if isinstance(again, Fetched) else replace(again, message=f"{again.message} (tried twice)")
        return outcome

    def _tried(self, deadline: Deadline) -> Outcome:
        try:
            return Fetched(self.part.fetch(deadline))
        except FetchError as error:
            return Failed(error.reason, str(error))
        # A bug in one exporter must not take the others along, nor a panic of a library in Rust, which is no Exception.
        except BaseException as error:  # noqa: BLE001
            return Failed(Reason.UNEXPECTED, f"{type(error).__name__}: {error}")


def _was_too_short(flight: _Flight, deadline: Deadline) -> bool:
    """Whether it failed for want of time that only the scrape which began it didn't have."""
    more_seconds = deadline.ends_at - max(flight.deadline.ends_at, flight.ended_at)
    is_late = isinstance(flight.outcome, Failed) and flight.outcome.reason is Reason.TIMEOUT
    # A fetch's own limits, those of a query for example, end it earlier: asking again would only cost as much again.
    return is_late and more_seconds > _LEAST_SECONDS and flight.ended_at > flight.deadline.ends_at - _PAUSE_SECONDS
