"""Steady visitors of those parts that nobody else uses: the exporter, the portal, the incident receiver."""

import contextlib
import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import httpx

from benchmarks.chaos.emitting import REQUEST_SECONDS

PAGES = (
    "/",
    "/api/v1/overview",
    "/services/transactions-api",
    "/services/transactions-api/availability",
    "/incidents",
    "/wall",
)
_GO_ZERO_TIME = "0001-01-01T00:00:00Z"


class Visitors:
    """Threads, one for each part; an answer that isn't expected is counted."""

    def __init__(self, exporter: str, portal: str, incidents: str) -> None:
        self._end = threading.Event()
        self.visits = 0
        self.failures: list[str] = []
        works: Sequence[tuple[str, str, float, Callable[[httpx.Client, int], httpx.Response]]] = (
            ("exporter", exporter, 0.5, lambda client, _: client.get("/metrics")),
            ("portal", portal, 1.0, lambda client, number: client.get(PAGES[number % len(PAGES)])),
            ("incidents", incidents, 0.5, _page_or_look),
        )
        self._threads = [threading.Thread(target=self._visit, args=work, name=work[0]) for work in works]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Stop, and wait for the last answers."""
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _visit(self, name: str, url: str, seconds: float, visit: Callable[[httpx.Client, int], httpx.Response]) -> None:
        with httpx.Client(base_url=url, timeout=REQUEST_SECONDS, trust_env=False) as client:
            for number in itertools.count():
                if self._end.wait(seconds):
                    return
                with contextlib.suppress(httpx.TimeoutException):  # a busy machine; who died is seen by its process
                    answer = visit(client, number)
                    self.visits += 1
                    if not answer.is_success:
                        self.failures.append(f"{name}: {answer.request.url} answered {answer.status_code}")


def _page_or_look(client: httpx.Client, number: int) -> httpx.Response:
    """An alert that fires, its end, and a look at the newest incidents."""
    if number % 3 == 2:  # noqa: PLR2004 - of three
        return client.get("/api/v1/incidents", params={"limit": 20})
    return client.post("/api/v1/alertmanager", json=_webhook(number // 3, is_over=number % 3 == 1))


def _webhook(number: int, *, is_over: bool) -> Mapping[str, Any]:
    began = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number)
    labels = {"alertname": "Soak", "severity": "critical", "service": "soak", "slo": f"slo-{number % 50}"}
    alert = {
        "status": "resolved" if is_over else "firing",
        "labels": labels,
        "annotations": {"summary": f"alert {number}"},
        "startsAt": began.isoformat(),
        "endsAt": (began + timedelta(minutes=5)).isoformat() if is_over else _GO_ZERO_TIME,
        "generatorURL": "",
        "fingerprint": sha256(labels["slo"].encode()).hexdigest()[:16],
    }
    return {
        "version": "4",
        "groupKey": f'{{}}:{{slo="{labels["slo"]}"}}',
        "truncatedAlerts": 0,
        "status": alert["status"],
        "receiver": "soak",
        "groupLabels": {"service": "soak", "slo": labels["slo"]},
        "commonLabels": labels,
        "commonAnnotations": {},
        "externalURL": "",
        "alerts": [alert],
    }
