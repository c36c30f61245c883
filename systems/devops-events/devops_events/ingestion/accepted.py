"""What this node has accepted lately, for the watcher that looks whether it gets stored."""

import threading
import uuid
from collections import deque
from collections.abc import Mapping
from itertools import count
from typing import Any, Final

from fastapi import FastAPI

REMEMBERED: Final = 50_000
"""The watcher asks every two seconds: that is enough for 25,000 a second."""
MOST_IN_AN_ANSWER: Final = 5_000


class Accepted:
    """A bounded memory, numbered, safe for several threads. Nothing depends on it but what the watcher can count."""

    def __init__(self) -> None:
        self._instance = uuid.uuid4().hex
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._kept: deque[tuple[int, str, str, float]] = deque(maxlen=REMEMBERED)

    def add(self, key: str, platform: str, at_seconds: float) -> None:
        """An event was accepted; the time is in seconds since the epoch."""
        with self._lock:
            self._kept.append((next(self._numbers), key, platform, at_seconds))

    def after(self, number: int, instance: str) -> Mapping[str, Any]:
        """What came after the one with this number, oldest first; of another instance's numbers nothing is known."""
        with self._lock:
            known = number if instance == self._instance else 0
            found = [one for one in self._kept if one[0] > known][:MOST_IN_AN_ANSWER]
        return {
            "instance": self._instance,
            "newest": found[-1][0] if found else known,
            "events": [[key, platform, at_seconds] for _, key, platform, at_seconds in found],
        }


def serve_accepted(admin: FastAPI, accepted: Accepted) -> None:
    """Let the watcher ask, on the port that listens on loopback only."""

    @admin.get("/accepted")
    def after(number: int = 0, instance: str = "") -> Mapping[str, Any]:
        return accepted.after(number, instance)
