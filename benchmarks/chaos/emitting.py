"""What is emitted while processes die, each thread with its own account of it: requests, log lines, webhooks."""

import contextlib
import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from prometheus_client import CollectorRegistry
from sereno_telemetry import ecs_handler

from benchmarks.devops_webhooks.deliveries import delivery

REQUEST_SECONDS = 10.0
WEBHOOK_PATH = "/api/v1/devops/github"
_USERS = 4
_OK = b" 200 "


@dataclass(frozen=True, slots=True)
class Request:
    """One that was sent to the service; in seconds since 1970."""

    at: float
    """When its answer was there, or when nobody waited for one any longer."""
    status: int | None
    """None: no answer. It may have been counted, or not."""


@dataclass(slots=True)
class Emitted:
    """The truth."""

    requests: list[Request] = field(default_factory=list)
    refused: int = 0
    """Requests that no process took: they were never there."""
    lines: int = 0
    webhooks: list[int] = field(default_factory=list)
    """Numbers of deliveries that were answered 200."""
    webhook_attempts: int = 0


class Emitting:
    """Threads that emit until they are told to end."""

    def __init__(self, service_url: str, log: Path, devops_port: int) -> None:
        self.emitted = Emitted()
        self._end = threading.Event()
        self._log = log
        self._devops_port = devops_port
        self._service_url = service_url
        self._threads = [threading.Thread(target=self._use_service, name=f"user-{each}") for each in range(_USERS)]
        self._threads += [threading.Thread(target=work, name=work.__name__) for work in (self._write, self._deliver)]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def end(self) -> Emitted:
        """Stop sending; what is on its way is waited for."""
        self._end.set()
        for thread in self._threads:
            thread.join()
        return self.emitted

    def _use_service(self) -> None:
        with httpx.Client(base_url=self._service_url, timeout=REQUEST_SECONDS, trust_env=False) as client:
            number = 0
            while not self._end.wait(0.4):
                number += 1
                try:
                    answer = _ask(client, is_write=number % 3 == 0)
                except (httpx.ConnectError, httpx.ConnectTimeout):
                    self.emitted.refused += 1
                except httpx.HTTPError:
                    self.emitted.requests.append(Request(time.time(), None))
                else:
                    self.emitted.requests.append(Request(time.time(), answer.status_code))

    def _write(self) -> None:
        """Log lines, into a file that the collector follows."""
        # A registry of its own: another handler of this process counts into the usual one.
        handler = ecs_handler("sereno-chaos", path=self._log, node="chaos", registry=CollectorRegistry())
        logger = logging.getLogger("sereno_chaos")
        logger.setLevel(logging.INFO)
        logger.propagate = False
        logger.addHandler(handler)
        while not self._end.wait(0.05):
            logger.info("line %d", self.emitted.lines + 1)
            self.emitted.lines += 1
        logger.removeHandler(handler)
        handler.close()

    def _deliver(self) -> None:
        """Each delivery until it is answered 200, as platforms send again what wasn't."""
        waiting: deque[int] = deque()
        number = 0
        while not self._end.wait(0.25) or waiting:
            if not self._end.is_set():
                number += 1
                waiting.append(number)
            self.emitted.webhook_attempts += 1
            if _delivered(self._devops_port, delivery(waiting[0], WEBHOOK_PATH).request):
                self.emitted.webhooks.append(waiting.popleft())


def _ask(client: httpx.Client, *, is_write: bool) -> httpx.Response:
    if is_write:
        return client.post("/transactions", json={"account": "ACC-1", "amount_cents": 100, "currency": "EUR"})
    return client.get("/transactions", params={"limit": 5})


def _delivered(port: int, request: bytes) -> bool:
    """Whether it was answered 200."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=REQUEST_SECONDS) as line:
        line.sendall(request)
        return _OK in line.recv(4096)[:16]
    return False


def until(holds: Callable[[], bool], seconds: float) -> bool:
    """Whether it holds within so many seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True
