"""A real Prometheus that scrapes a fleet and evaluates all rules of its SLOs, watched through its own metrics."""

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from benchmarks.cost.fleet import INSTANCES, Fleet
from benchmarks.simulation import SECOND, Server, find_prometheus
from benchmarks.simulation.server import free_port, serving

POLL_SECONDS = 10
"""More often than any group is evaluated, so that the last duration of each evaluation is seen."""
_ALL_EVALUATED_MINUTES = 6
_SAMPLE = re.compile(r'^(\w+)(?:\{(?:.*rule_group="[^"]*;([^";]+)")?.*\})? (\S+)$')
_WATCHED = frozenset(
    {
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "prometheus_rule_evaluation_failures_total",
        "prometheus_rule_group_interval_seconds",
        "prometheus_rule_group_iterations_missed_total",
        "prometheus_rule_group_iterations_total",
        "prometheus_rule_group_last_duration_seconds",
        "prometheus_tsdb_head_series",
    }
)


class LoadError(Exception):
    """The benchmark measures nothing because something in it doesn't work; the message says what."""


@dataclass(frozen=True, slots=True)
class Page:
    """One look at Prometheus' own metrics: metric to rule group to value; the group is empty where there is none."""

    values: Mapping[str, Mapping[str, float]]

    def one(self, metric: str) -> float:
        """The value of a metric without rule groups."""
        return self.values[metric][""]

    def by_group(self, metric: str) -> Mapping[str, float]:
        """A metric's values by rule group."""
        return self.values.get(metric, {})


@dataclass(slots=True)
class Watch:
    """What was seen while Prometheus ran."""

    first: Page
    last: Page
    seconds: float = 0.0
    longest: dict[str, float] = field(default_factory=dict)
    """Rule group to the longest of its evaluations, in seconds."""
    resident_bytes: float = 0.0
    """The most that was seen."""


def read_page(text: str) -> Page:
    """The metrics that the benchmark looks at, of an exposition."""
    values: dict[str, dict[str, float]] = {}
    for line in text.splitlines():
        found = _SAMPLE.match(line)
        if found and found[1] in _WATCHED:
            values.setdefault(found[1], {})[found[2] or ""] = float(found[3])
    return Page(values)


@contextmanager
def loaded_prometheus(
    folder: Path,
    fleet: Fleet,
    *,
    rules: Mapping[str, str],
    blocks: Sequence[Path],
    exporter: str,
    program: str | None,
) -> Iterator[Server]:
    """A Prometheus with default settings that holds the blocks, scrapes the fleet and evaluates the rules.

    Raises:
        ServerError: it doesn't start; the end of its log says why.
    """
    folder.mkdir(parents=True)
    for name, text in rules.items():
        (folder / name).write_text(text, encoding="utf-8")
    for block in blocks:
        # Linked, not copied: blocks are never written to.
        shutil.copytree(block, folder / "data" / block.name, copy_function=_link)
    (folder / "prometheus.yml").write_text(yaml.safe_dump(_configuration(fleet, rules, exporter)), encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    command = [
        find_prometheus(program),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=45d",
        f"--web.listen-address={address}",
        "--log.level=warn",
    ]
    with serving(command, address, folder / "prometheus.log") as server:
        yield server


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def _configuration(fleet: Fleet, rules: Mapping[str, str], exporter: str) -> dict[str, object]:
    return {
        "global": {"scrape_interval": "30s", "evaluation_interval": "1m"},
        "rule_files": list(rules),
        "scrape_configs": [
            {
                "job_name": job,
                "static_configs": [
                    {
                        "targets": [exporter],
                        "labels": {"instance": instance, "__metrics_path__": f"/{job}/{instance}"},
                    }
                    for instance in INSTANCES
                ],
            }
            for job in fleet.jobs
        ],
    }


def watch(server: Server, minutes: float, progress: Callable[[str], None]) -> Watch:
    """Look at Prometheus' own metrics for so long."""
    page = _page(server)
    seen = Watch(page, page)
    start = time.monotonic()
    while (elapsed := time.monotonic() - start) < minutes * 60:
        time.sleep(min(POLL_SECONDS, minutes * 60 - elapsed))
        seen.last = _page(server)
        seen.seconds = time.monotonic() - start
        seen.resident_bytes = max(seen.resident_bytes, seen.last.one("process_resident_memory_bytes"))
        for group, seconds in seen.last.by_group("prometheus_rule_group_last_duration_seconds").items():
            seen.longest[group] = max(seconds, seen.longest.get(group, 0.0))
        if int(seen.seconds // 60) != int(elapsed // 60):
            missed = sum(seen.last.by_group("prometheus_rule_group_iterations_missed_total").values())
            progress(
                f"minute {seen.seconds / 60:.0f}: {missed:.0f} iterations missed, longest evaluation so far "
                f"{max(seen.longest.values()):.1f} s, load of the machine {os.getloadavg()[0]:.1f}"
            )
    return seen


def _page(server: Server) -> Page:
    response = server.http.get(f"{server.url}/metrics")
    response.raise_for_status()
    return read_page(response.text)


def check_that_it_works(server: Server, fleet: Fleet, now_ms: int, minutes: float) -> None:
    """Every SLO has entries, a budget and no alert; otherwise the load would be less than it seems.

    Budgets are asked for after six minutes only: before, some groups' first evaluation is still to come.

    Raises:
        LoadError: one of them hasn't.
    """
    names = ["sereno:events:delta1m", "sereno:bad_events:delta1m"]
    if minutes >= _ALL_EVALUATED_MINUTES:
        names.append("sereno:error_budget_remaining:ratio")
    for name in names:
        found = _number(server, f'count(last_over_time({name}{{service!=""}}[10m]))', now_ms)
        if found != fleet.slos:
            raise LoadError(f"{found:.0f} of {fleet.slos} SLOs have {name}")
    if idle := _number(server, "count(sereno:events:delta1m == 0)", now_ms):
        raise LoadError(f"{idle:.0f} SLOs count no events")
    if alerts := _number(server, 'count(ALERTS{alertname!="SLONoData"})', now_ms):
        raise LoadError(f"{alerts:.0f} alerts are pending or firing in a fleet without incidents")


def _number(server: Server, expr: str, at_ms: int) -> float:
    result = server.query(expr, at_ms // SECOND * SECOND)["result"]
    return float(result[0]["value"][1]) if result else 0.0
