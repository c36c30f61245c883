"""What a demo's Prometheus has kept after the demo has ended: another one answers from it, and scrapes nothing."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from support.command_line import sereno
from support.prometheus import running_prometheus

_STEP_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Remembered:
    """Is asked about one moment: the last one at which all parts of the demo were up."""

    url: str
    at_seconds: float

    def values(self, expr: str) -> list[float]:
        """The values of an expression at that moment."""
        parameters = {"query": expr, "time": f"{self.at_seconds:.3f}"}
        answer = httpx.get(f"{self.url}/api/v1/query", params=parameters, timeout=30, trust_env=False).json()
        assert answer["status"] == "success", (expr, answer)
        return [float(series["value"][1]) for series in answer["data"]["result"]]

    def check_dashboards(self, repository: Path, *paths: str | Path) -> subprocess.CompletedProcess[str]:
        """`sereno dashboards check` of that moment, with the reviewed reasons of the repository."""
        moment = datetime.fromtimestamp(self.at_seconds, UTC).isoformat()
        return sereno("dashboards", "check", "--prometheus", self.url, "--at", moment, *paths, cwd=repository)


@contextmanager
def remembered(data: Path, folder: Path) -> Iterator[Remembered]:
    """A Prometheus on the data that another one, which has ended, has left in `data`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data").symlink_to(data)
    with running_prometheus(folder) as server:
        yield Remembered(server.url, _last_with_all_parts(server.url))


def _last_with_all_parts(url: str) -> float:
    """Prometheus isn't the first part that ends, and on a busy machine the others take their time."""
    now = time.time()
    fresh = "count(up == 1 and time() - timestamp(up) < 10)"  # a sample is shown for five minutes
    asked = {"query": fresh, "start": f"{now - 3600:.0f}", "end": f"{now:.0f}", "step": str(_STEP_SECONDS)}
    answer = httpx.get(f"{url}/api/v1/query_range", params=asked, timeout=30, trust_env=False).json()
    (series,) = answer["data"]["result"]
    up = {seconds: float(value) for seconds, value in series["values"]}
    return float(max(seconds for seconds, count in up.items() if count == max(up.values())))
