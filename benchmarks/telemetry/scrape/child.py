"""One instrumented app with many series, and its endpoint asked as Prometheus asks."""

import asyncio
import gzip
import time
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from prometheus_client import REGISTRY
from starlette.responses import Response

from benchmarks.telemetry.driving import USUAL_HEADERS, Answer, Exchange, http_scope
from benchmarks.telemetry.instruments import INSTRUMENTS, METRICS_PATH, Setting

METHODS = ("GET", "POST")
CODES = (200, 404, 500)
_ACCEPT = (b"accept", b"application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
_REDIRECT = 307


class Scraped:
    """Answers any question with the CPU seconds and the bytes of one scrape."""

    def __init__(self, *, instrument: str, routes: int) -> None:
        self._app = _app(routes)
        INSTRUMENTS[instrument].install(self._app, Setting(None, 0.0, REGISTRY))
        self._loop = asyncio.new_event_loop()
        self._loop.run_until_complete(self._fill(routes))
        self._path = METRICS_PATH
        if self._scrape().status_code == _REDIRECT:  # a mounted endpoint has a slash at its end
            self._path += "/"

    def __call__(self, question: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002 - every task has one
        """Scrape once."""
        started = time.process_time()
        answer = self._scrape()
        seconds = time.process_time() - started
        return {"cpu_seconds": seconds, "bytes": len(answer.body), "samples": _samples(answer)}

    def _scrape(self) -> Answer:
        headers = [*(one for one in USUAL_HEADERS if one[0] != b"accept"), _ACCEPT]
        return self._loop.run_until_complete(Exchange().run(self._app, http_scope("GET", self._path, headers)))

    async def _fill(self, routes: int) -> None:
        for number in range(routes):
            for method in METHODS:
                for code in CODES:
                    scope = http_scope(method, f"/things-{number}/{code}", list(USUAL_HEADERS))
                    answer = await Exchange().run(self._app, scope)
                    assert answer.status_code == code


def _app(routes: int) -> FastAPI:
    app = FastAPI()

    async def answer(code: int) -> Response:
        return Response(status_code=code)

    for number in range(routes):
        app.add_api_route(f"/things-{number}/{{code}}", answer, methods=list(METHODS))
    return app


def _samples(answer: Answer) -> int:
    body = gzip.decompress(answer.body) if answer.header("content-encoding") == "gzip" else answer.body
    return sum(bool(line) and not line.startswith(b"#") for line in body.splitlines())
