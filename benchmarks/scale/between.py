"""What stands between a Prometheus and the receiver of its remote writes: a network that stalls, a tracker that elects.

Both pass requests on as they are. What is refused with 503 is sent again by Prometheus, in its order.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from threading import Lock

import httpx

from benchmarks.scale.traffic import Schedule, serving_http

FAILOVER_SECONDS = 30
"""Mimir's default, `ha_tracker_failover_timeout`."""
_FORWARDED = ("Content-Type", "Content-Encoding", "X-Prometheus-Remote-Write-Version", "User-Agent")
_TAKEN, _TRY_AGAIN = 204, 503


@dataclass(slots=True)
class Election:
    """Mimir's HA tracker: it stays with a replica until nothing came of it for the failover time, then takes another.

    Source: Mimir's documentation, "Configure high-availability deduplication". Its second timeout, which spares writes
    to the key-value store, is left out.
    """

    clock: Callable[[], float]
    elected: str
    failover_seconds: float = FAILOVER_SECONDS
    _seen: float | None = None
    _lock: Lock = field(default_factory=Lock)

    def takes(self, replica: str) -> bool:
        """Whether samples of this replica, which come now, are kept."""
        with self._lock:
            now = self.clock()
            if self._seen is None:
                self._seen = now
            if replica != self.elected and now - self._seen > self.failover_seconds:
                self.elected = replica
            if replica == self.elected:
                self._seen = now
            return replica == self.elected


@contextmanager
def electing(election: Election, receiver: str) -> Iterator[str]:
    """The address of a tracker before the receiver: replicas write to `/<replica>/api/v1/write`."""

    def answer(path: str) -> int | None:
        return None if election.takes(path.split("/")[1]) else _TAKEN

    with _before(receiver, answer) as address:
        yield address


@contextmanager
def stalling(schedule: Schedule, began: float, clock: Callable[[], float], receiver: str) -> Iterator[str]:
    """The address of a network that takes nothing while the schedule says so."""

    def answer(_: str) -> int | None:
        at = clock() - began
        return _TRY_AGAIN if any(span.holds(at) for span in schedule.writes_held_back) else None

    with _before(receiver, answer) as address:
        yield address


@contextmanager
def _before(receiver: str, answer: Callable[[str], int | None]) -> Iterator[str]:
    """Passes on what gets no answer here."""
    with httpx.Client(timeout=30, trust_env=False) as onward:

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                status = answer(self.path)
                if status is None:
                    headers = {name: self.headers[name] for name in _FORWARDED if name in self.headers}
                    try:
                        status = onward.post(f"{receiver}/api/v1/write", content=body, headers=headers).status_code
                    except httpx.TransportError:
                        status = _TRY_AGAIN
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        with serving_http(Handler) as address:
            yield address
