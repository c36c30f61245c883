"""Answers that are shared: each question is on its way once, whoever waits for it."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

MOST_KEPT = 2_000
MOST_WEIGHT = 4_000_000
"""Of all answers together, in points where `weigh` counts them: some hundred MB."""
FAILURE_SECONDS = 2.0
"""How long a failure answers for the server: a crowd that reloads must not wait for it one by one.

A failure that took longer answers as long as it took: whoever looks waits for a server that hangs half of the time.
"""
PATIENCE_SECONDS = 10.0
"""How long somebody waits for an answer that another one has asked for."""
_SHORT_PATIENCE_SECONDS = 1.0
"""The same where there is an old answer."""

Failures: TypeAlias = type[Exception] | tuple[type[Exception], ...]


class StillAsked(Exception):  # noqa: N818 - reads as what happened
    """Somebody else waits for the same answer, and has waited for long."""

    def __init__(self) -> None:
        super().__init__("the answer is awaited for some seconds already; try again in a moment")


@dataclass(slots=True)
class _Slot:
    lock: threading.Lock = field(default_factory=threading.Lock)
    value: Any = None
    version: Hashable = None
    weight: int = 0
    asked_at: float = float("-inf")
    failure: Exception | None = None
    failed_until: float = float("-inf")
    useful_until: float = float("-inf")


@dataclass(frozen=True, slots=True)
class Kept:
    """A value and how old it is."""

    value: Any
    age_seconds: float
    failure: Exception | None = None
    """Why it isn't younger."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    ask: Callable[[], Any]
    fresh_seconds: float
    stale_seconds: float
    failures: Failures
    version: Hashable


class SharedAnswers:
    """Safe for several threads. What is too old for anything goes, and the least recently used where there's too much.

    Args:
        clock: seconds that only grow.
        weigh: how much of the room an answer takes.
        patience_seconds: nobody waits longer for what another one has asked.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        weigh: Callable[[Any], int] = lambda _: 1,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._clock = clock
        self._weigh = weigh
        self._patience_seconds = patience_seconds
        self._lock = threading.Lock()
        self._slots: OrderedDict[Hashable, _Slot] = OrderedDict()

    @property
    def weight(self) -> int:
        """Of all that is kept."""
        with self._lock:
            return sum(slot.weight for slot in self._slots.values())

    def get(
        self,
        key: Hashable,
        ask: Callable[[], Any],
        *,
        fresh_seconds: float,
        stale_seconds: float,
        failures: Failures,
        version: Hashable = None,
    ) -> Kept:
        """The answer, at most `fresh_seconds` old; where asking fails, the last one, at most `stale_seconds` old.

        While somebody asks anew, all others get the last one, at most twice `fresh_seconds` old, instead of waiting: a
        crowd doesn't stand still whenever an answer has grown old. They wait a second where it is older, and not at
        all where the last attempt failed: then they get it with the reason.

        An answer of another `version` of the question isn't fresh, but stands in where asking fails.

        Raises:
            failures: asking failed, and there is none to fall back on.
            StillAsked: nor has somebody else got one in time.
        """
        slot = self._slot(key)
        wanted = _Wanted(ask, fresh_seconds, stale_seconds, failures, version)
        if not slot.lock.acquire(blocking=False):
            kept = self._meanwhile(slot, wanted)
            if kept is not None:
                return kept
        try:
            return self._asked(slot, wanted)
        finally:
            slot.lock.release()

    def _meanwhile(self, slot: _Slot, wanted: _Wanted) -> Kept | None:
        """What there is while another one asks; None: the slot's lock is ours."""
        age = self._clock() - slot.asked_at
        if age < 2 * wanted.fresh_seconds and slot.version == wanted.version:
            return Kept(slot.value, age, slot.failure)
        is_useful = age < wanted.stale_seconds
        if is_useful and slot.failure is not None:
            return Kept(slot.value, age, slot.failure)
        if slot.lock.acquire(timeout=_SHORT_PATIENCE_SECONDS if is_useful else self._patience_seconds):
            return None
        if is_useful:
            return Kept(slot.value, age, StillAsked())
        raise StillAsked

    def _asked(self, slot: _Slot, wanted: _Wanted) -> Kept:
        """The same by who holds the slot's lock."""
        now = self._clock()
        if now - slot.asked_at < wanted.fresh_seconds and slot.version == wanted.version:
            return Kept(slot.value, now - slot.asked_at)
        if slot.failure is None or now >= slot.failed_until:
            try:
                value = wanted.ask()
            except wanted.failures as failure:
                failed_at = self._clock()
                slot.failure, slot.failed_until = failure, failed_at + max(FAILURE_SECONDS, failed_at - now)
                slot.useful_until = max(slot.useful_until, slot.failed_until)
            else:
                self._keep(slot, value, wanted)
                return Kept(value, 0.0)
        age = self._clock() - slot.asked_at
        if age < wanted.stale_seconds:
            return Kept(slot.value, age, slot.failure)
        assert slot.failure is not None  # noqa: S101 - or there would be an answer
        raise slot.failure.with_traceback(None)

    def _keep(self, slot: _Slot, value: Any, wanted: _Wanted) -> None:
        weight = self._weigh(value)
        with self._lock:
            slot.value, slot.version, slot.weight, slot.failure = value, wanted.version, weight, None
            slot.asked_at = self._clock()
            slot.useful_until = slot.asked_at + max(wanted.stale_seconds, wanted.fresh_seconds)
            self._tidy()

    def _slot(self, key: Hashable) -> _Slot:
        with self._lock:
            if key not in self._slots:
                self._slots[key] = _Slot(useful_until=self._clock() + FAILURE_SECONDS)
                self._tidy()
            self._slots.move_to_end(key)
            return self._slots[key]

    def _tidy(self) -> None:
        """By who holds the lock of all."""
        now = self._clock()
        for key in [key for key, slot in self._slots.items() if slot.useful_until <= now and not slot.lock.locked()]:
            del self._slots[key]
        weight = sum(slot.weight for slot in self._slots.values())
        while len(self._slots) > 1 and (len(self._slots) > MOST_KEPT or weight > MOST_WEIGHT):
            weight -= self._slots.popitem(last=False)[1].weight
