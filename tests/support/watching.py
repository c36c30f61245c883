"""A real Prometheus that scrapes standard exporters by the jobs of exporters/standard and evaluates their rules."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from support.prometheus import running_prometheus
from support.standard_exporters import STANDARD, Watched

RULES = STANDARD.parents[1] / "alerting" / "rules" / "handwritten"
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Watching:
    """A Prometheus, and what lets its servers do something."""

    url: str
    work: Callable[[], None]

    def ask(self, expr: str) -> list[float]:
        """The values of an expression now."""
        return [float(series["value"][1]) for series in self._get("query", query=expr)["result"]]

    def knows(self, selector: str) -> bool:
        """Whether a series matches."""
        parameters = {"match[]": selector, "limit": "1", "start": str(time.time() - 300)}
        return bool(self._get("series", **parameters))

    def once_there(self, those_missing: Callable[[], list[str]]) -> list[str]:
        """What is still missing when all has come, or time is up; meanwhile the servers have something to do."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (missing := those_missing()) and time.monotonic() < deadline:
            self.work()
            time.sleep(0.2)
        return missing

    def _get(self, what: str, **parameters: str) -> Any:
        answer = httpx.get(f"{self.url}/api/v1/{what}", params=parameters, timeout=10, trust_env=False).json()
        assert answer["status"] == "success", answer
        return answer["data"]


@contextmanager
def watching(folder: Path, watched: Mapping[str, Watched], *, interval: str = "1s") -> Iterator[Watching]:
    """A Prometheus with the jobs and rules of these exporters, by their folders' names."""
    config = {
        "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": "1s"},
        "rule_files": [str(RULES / f"{name}.rules.yaml") for name in (*watched, "standard")],
        "scrape_configs": [job for name, each in watched.items() for job in _jobs(name, each)],
    }

    def work() -> None:
        for each in watched.values():
            each.work()

    with running_prometheus(folder / "prometheus", config=yaml.safe_dump(config)) as server:
        yield Watching(server.url, work)


def _jobs(name: str, watched: Watched) -> list[dict[str, Any]]:
    """The jobs as users copy them, with this test's addresses."""
    document = yaml.safe_load((STANDARD / name / "scrape.yaml").read_text(encoding="utf-8"))
    jobs: list[dict[str, Any]] = document["scrape_configs"]
    for job in jobs:
        job["static_configs"] = [{"targets": list(watched.targets)}]
        for relabelling in job.get("relabel_configs", []):
            if relabelling["target_label"] == "__address__":
                relabelling["replacement"] = watched.exporter
    return jobs
