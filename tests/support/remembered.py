"""What a demo's Prometheus has kept after the demo has ended: another one answers from it, and scrapes nothing."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from support.prometheus import running_prometheus

_BEFORE_THE_END_SECONDS = 20.0
"""Prometheus isn't the first part that ends: what it scraped last may be gone already."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """Is asked about one moment: shortly before the demo's end."""

    url: str
    at_seconds: float

    def values(self, expr: str) -> list[float]:
        """The values of an expression at that moment."""
        parameters = {"query": expr, "time": f"{self.at_seconds:.3f}"}
        answer = httpx.get(f"{self.url}/api/v1/query", params=parameters, timeout=30, trust_env=False).json()
        assert answer["status"] == "success", (expr, answer)
        return [float(series["value"][1]) for series in answer["data"]["result"]]


@contextmanager
def remembered(data: Path, folder: Path) -> Iterator[Remembered]:
    """A Prometheus on the data that another one, which has ended, has left in `data`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data").symlink_to(data)
    with running_prometheus(folder) as server:
        # Of the bare selector: of anything else `timestamp` is when it was evaluated.
        (last,) = Remembered(server.url, time.time()).values("max(max_over_time(timestamp(up)[1h:5s]))")
        yield Remembered(server.url, last - _BEFORE_THE_END_SECONDS)
