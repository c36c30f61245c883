"""Answers that are shared: each question is on its way once, whoever waits for it."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

MOST_KEPT = 2_000
FAILURE_SECONDS = 2.0
"""How long a failure answers for the server: a crowd that reloads must not wait for it one by one."""


@dataclass(slots=True)
class _Slot:
    lock: threading.Lock = field(default_factory=threading.Lock)
    value: Any = None
    asked_at: float = float("-inf")
    failure: Exception | None = None
    failed_at: float = float("-inf")


@dataclass(frozen=True, slots=True)
class Kept:
    """A value and how old it is."""

    value: Any
    age_seconds: float
    failure: Exception | None = None
    """Why it isn't younger."""


class SharedAnswers:
    """Safe for several threads. The least recently used answers go first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._slots: OrderedDict[Hashable, _Slot] = OrderedDict()

    def get(
        self,
        key: Hashable,
        ask: Callable[[], Any],
        *,
        fresh_seconds: float,
        stale_seconds: float,
        failures: type[Exception],
    ) -> Kept:
        """The answer, at most `fresh_seconds` old; where asking fails, the last one, at most `stale_seconds` old.

        While somebody asks anew, all others get the last one, at most twice `fresh_seconds` old, instead of waiting: a
        crowd doesn't stand still whenever an answer has grown old.

        Raises:
            failures: asking failed, and there is none to fall back on.
        """
        slot = self._slot(key)
        if not slot.lock.acquire(blocking=False):
            age = self._clock() - slot.asked_at
            if age < 2 * fresh_seconds:
                return Kept(slot.value, age, slot.failure)
            slot.lock.acquire()
        try:
            return self._asked(slot, ask, fresh_seconds, stale_seconds, failures)
        finally:
            slot.lock.release()

    def _asked(
        self,
        slot: _Slot,
        ask: Callable[[], Any],
        fresh_seconds: float,
        stale_seconds: float,
        failures: type[Exception],
    ) -> Kept:
        """The same by who holds the slot's lock."""
        now = self._clock()
        if now - slot.asked_at < fresh_seconds:
            return Kept(slot.value, now - slot.asked_at)
        if slot.failure is None or now - slot.failed_at >= FAILURE_SECONDS:
            try:
                slot.value = ask()
                slot.asked_at, slot.failure = self._clock(), None
                return Kept(slot.value, 0.0)
            except failures as failure:
                slot.failure, slot.failed_at = failure, self._clock()
        if self._clock() - slot.asked_at < stale_seconds:
            return Kept(slot.value, self._clock() - slot.asked_at, slot.failure)
        raise slot.failure

    def _slot(self, key: Hashable) -> _Slot:
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            while len(self._slots) > MOST_KEPT:
                self._slots.popitem(last=False)
            return slot
