"""One instrumented app under hostile requests, and what its process holds."""

import asyncio
import gc
import os
import random
import string
import time
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prometheus_client import REGISTRY

from benchmarks.telemetry.correctness.evidence import read_series
from benchmarks.telemetry.correctness.shop import shop
from benchmarks.telemetry.driving import Headers, http_scope
from benchmarks.telemetry.instruments import INSTRUMENTS, Setting
from benchmarks.telemetry.overhead.child import dropping_provider

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_LETTERS = string.ascii_letters + string.digits + "-_.~%/"
_METHODS = ("GET", "GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH")
_KNOWN_PATHS = (
    "/shops/{}/items/{}",
    "/tenants/{}/orders/{}",
    "/tenants/{}/v1/items/{}",
    "/files/{}/{}",
    "/plain/{}/{}",
)
_LONGEST = 300
_SAMPLED_RATIO = 0.01


class Hostile:
    """Answers {"requests": n} with what the process holds after so many more."""

    def __init__(self, *, instrument: str, seed: int, traced_memory: bool) -> None:
        self._random = random.Random(seed)
        self._app = shop()
        provider = dropping_provider(_SAMPLED_RATIO) if INSTRUMENTS[instrument].traces else None
        INSTRUMENTS[instrument].install(self._app, Setting(provider, _SAMPLED_RATIO, REGISTRY))
        self._loop = asyncio.new_event_loop()
        if traced_memory:
            tracemalloc.start()

    def __call__(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send the requests, wait for the spans to be exported, and look."""
        self._loop.run_until_complete(self._send(question["requests"]))
        if question.get("look", False):
            time.sleep(6)  # longer than a batch of spans waits for others
        gc.collect()
        return {
            "resident_bytes": _resident_bytes(),
            "traced_bytes": tracemalloc.get_traced_memory()[0] if tracemalloc.is_tracing() else None,
            "objects": len(gc.get_objects()),
            "series": len(read_series(REGISTRY)) if question.get("look", False) else None,
        }

    async def _send(self, requests: int) -> None:
        app: Any = self._app

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Mapping[str, Any]) -> None:
            pass

        for _ in range(requests):
            method, path, headers = hostile_request(self._random)
            await self._loop.create_task(app(http_scope(method, path, headers), receive, send))


def hostile_request(source: random.Random) -> tuple[str, str, Headers]:
    """Method, path and headers that nobody has sent before."""
    method = source.choice(_METHODS) if source.random() < 0.5 else _text(source, 12).upper()  # noqa: PLR2004 - half
    if source.random() < 0.5:  # noqa: PLR2004 - half
        path = source.choice(_KNOWN_PATHS).format(source.getrandbits(64), source.getrandbits(64))
    else:
        path = "/" + _text(source, _LONGEST)
    flags = source.choice(("00", "01", "ff", "zz"))
    parent = f"00-{source.getrandbits(128):032x}-{source.getrandbits(64):016x}-{flags}"
    headers: Headers = [
        (b"host", _text(source, 40).encode()),
        (b"user-agent", _text(source, _LONGEST).encode()),
        (b"x-forwarded-for", _text(source, 20).encode()),
        (b"traceparent", (parent if source.random() < 0.8 else _text(source, 60)).encode()),  # noqa: PLR2004 - most
        (b"tracestate", f"{_text(source, 8)}={_text(source, 60)}".encode()),
        (b"baggage", f"{_text(source, 8)}={_text(source, 60)}".encode()),
    ]
    return method, path, headers


def _text(source: random.Random, longest: int) -> str:
    return "".join(source.choices(_LETTERS, k=source.randint(1, longest)))


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE_BYTES
