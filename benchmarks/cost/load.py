"""A thousand SLOs on one Prometheus: do all rule groups keep up, and what does it cost?"""

import math
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from benchmarks.cost.exporter import running_exporter
from benchmarks.cost.fleet import Fleet
from benchmarks.cost.past import WORKERS, Folders, Scraped, build_past, recorded_series, scraped_spans
from benchmarks.cost.rulesets import look_backs, read_rules
from benchmarks.cost.running import Page, Watch, check_that_it_works, loaded_prometheus, watch
from benchmarks.cost.specs import rule_files
from benchmarks.simulation import MINUTE, SECOND

_P99 = 0.99


@dataclass(frozen=True, slots=True)
class GroupTimes:
    """The evaluations of all rule groups of one interval."""

    interval_seconds: float
    groups: int
    longest_seconds: float
    p99_seconds: float
    """99 of 100 groups never took longer."""


@dataclass(frozen=True, slots=True)
class Load:
    """What Prometheus said of itself."""

    slos: int
    minutes: float
    rules: int
    series_in_head: int
    iterations: int
    iterations_missed: int
    evaluation_failures: int
    cpu_cores: float
    resident_bytes: float
    times: tuple[GroupTimes, ...]


def run_load(
    slos: int, minutes: float, *, folder: Path, prometheus: str | None, progress: Callable[[str], None]
) -> Load:
    """Run so many SLOs for so long; blocks of the past are kept in `folder`.

    Raises:
        LoadError: an SLO counts nothing, or an alert fires, so that the load isn't what it should be.
        PastError: promtool can't make the past.
        ServerError: Prometheus doesn't start.
    """
    started_ms = _now_ms()
    fleet = Fleet.running_since_days(slos, started_ms)
    files = _compiled(fleet)
    services = [read_rules(text) for text in files.values()]
    rules = sum(map(len, services))
    size = sum(map(len, files.values())) / 1e6
    progress(f"{slos} SLOs of {len(fleet.jobs)} services: {rules} rules, {size:.1f} MB of rule files")
    with running_exporter(fleet) as exporter, tempfile.TemporaryDirectory(prefix="load-", dir=_made(folder)) as name:
        # The first service stands for all: their rules differ in label values only.
        look_back_ms = look_backs(rule.expr for rule in services[0])
        recorded = [one for service in services for one in recorded_series(service, look_back_ms)]
        scraped = Scraped(fleet, scraped_spans(services[0], _now_ms(), round(minutes * MINUTE)))
        blocks = build_past(Folders(folder, Path(name) / "latest"), recorded, scraped, _now_ms(), progress)
        with loaded_prometheus(
            Path(name) / "prometheus", fleet, rules=files, blocks=blocks, exporter=exporter, program=prometheus
        ) as server:
            progress(f"Prometheus {server.version} runs for {minutes:g} minutes")
            seen = watch(server, minutes, progress)
            check_that_it_works(server, fleet, _now_ms(), minutes)
    return _load(slos, rules, seen)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _compiled(fleet: Fleet) -> dict[str, str]:
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as workers:
        parts = workers.map(rule_files, [[spec] for spec in fleet.specs()])
        return {name: text for part in parts for name, text in part.items()}


def _now_ms() -> int:
    return round(time.time() * SECOND)


def _load(slos: int, rules: int, seen: Watch) -> Load:
    return Load(
        slos=slos,
        minutes=seen.seconds / 60,
        rules=rules,
        series_in_head=round(seen.last.one("prometheus_tsdb_head_series")),
        iterations=_sum(seen.last, "prometheus_rule_group_iterations_total"),
        iterations_missed=_sum(seen.last, "prometheus_rule_group_iterations_missed_total"),
        evaluation_failures=_sum(seen.last, "prometheus_rule_evaluation_failures_total"),
        cpu_cores=(seen.last.one("process_cpu_seconds_total") - seen.first.one("process_cpu_seconds_total"))
        / seen.seconds,
        resident_bytes=seen.resident_bytes,
        times=tuple(_times(seen)),
    )


def _sum(page: Page, metric: str) -> int:
    return round(sum(page.by_group(metric).values()))


def _times(seen: Watch) -> Iterator[GroupTimes]:
    intervals = seen.last.by_group("prometheus_rule_group_interval_seconds")
    for interval_seconds in sorted(set(intervals.values())):
        longest = sorted(seen.longest[group] for group, of in intervals.items() if of == interval_seconds)
        p99_seconds = longest[math.ceil(_P99 * len(longest)) - 1]
        yield GroupTimes(interval_seconds, len(longest), longest[-1], p99_seconds)


def failures(load: Load) -> Iterator[str]:
    """What must not happen and did."""
    if load.iterations_missed:
        yield f"{load.iterations_missed} iterations of rule groups were missed"
    if load.evaluation_failures:
        yield f"{load.evaluation_failures} rule evaluations failed"
    for times in load.times:
        if times.longest_seconds >= times.interval_seconds:
            yield f"a group took {times.longest_seconds:.1f} s, its interval is {times.interval_seconds:.0f} s"
