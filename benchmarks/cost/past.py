"""Thirty days of what rules recorded, as TSDB blocks of the size that Prometheus itself would have compacted to.

Prometheus compacts to blocks of at most a tenth of its retention: 54 hours (2 h x 3 x 3 x 3) where it keeps 30 to 60
days. Such windows are built once and kept; only the newest one is built at each run, with the latest scrapes in it.
"""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

from benchmarks.cost.exporter import sample_name
from benchmarks.cost.fleet import INSTANCES, Counter, Fleet, counters
from benchmarks.cost.raw import SCRAPE_INTERVAL_MS
from benchmarks.cost.rulesets import Read, Rule, reads
from benchmarks.simulation import HOUR, MINUTE, SECOND, Interval

BLOCK_MS = 54 * HOUR
WORKERS = 2
_WORTH_WRITING_MS = 15 * MINUTE
"""What nobody looks back on for longer comes into being by itself."""
_RECENT_SCRAPES_MS = 30 * MINUTE
_VALUES_REPEAT_AFTER = 7


class PastError(Exception):
    """promtool can't make blocks; the message is its own."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recorded series: its name as in an exposition, how often it is recorded, how far back it is read."""

    sample_name: str
    interval_ms: int
    look_back_ms: int
    base_value: int


def recorded_series(rules: Sequence[Rule], look_back_ms: Mapping[str, int]) -> Iterator[Recorded]:
    """The recorded series that anybody looks back on (see `look_backs`), if not only on their latest values."""
    for rule in rules:
        age_ms = look_back_ms.get(rule.name, 0)
        if rule.records and age_ms > _WORTH_WRITING_MS:
            labels = {"__name__": rule.name} | dict(rule.labels)
            yield Recorded(sample_name(labels), rule.interval_ms, age_ms, _base_value(rule))


def _base_value(rule: Rule) -> int:
    """Plausible for what is read back at length: events by the hundreds, no bad ones, everything seen."""
    minutes = rule.interval_ms // MINUTE
    if "bad" in rule.name:
        return 0
    return 600 * minutes if "events" in rule.name else minutes


@dataclass(frozen=True, slots=True)
class Scraped:
    """Spans of the past in which rules read single raw samples, and the latest half hour."""

    fleet: Fleet
    spans: tuple[Interval, ...]


def scraped_spans(rules: Iterable[Rule], now_ms: int, run_ms: int) -> tuple[Interval, ...]:
    """The latest scrapes, and those that `offset 1h`, `1d` and the like will read while the benchmark runs."""
    oldest = {read.back_ms for rule in rules for read in reads(rule.expr) if _is_raw(read)}
    far = [age for age in oldest if age > _RECENT_SCRAPES_MS]
    spans = [Interval(now_ms - age, min(now_ms, now_ms - age + run_ms + 10 * MINUTE)) for age in sorted(far)]
    return (*spans, Interval(now_ms - _RECENT_SCRAPES_MS, now_ms))


def _is_raw(read: Read) -> bool:
    name = read.selector.name or ""
    return not name.startswith("sereno")


@dataclass(frozen=True, slots=True)
class Window:
    """What one block holds."""

    span: Interval
    recorded: tuple[Recorded, ...]
    until_ms: int
    """The end of the past: `look_back_ms` counts from here."""
    scraped: Scraped | None = None


@dataclass(frozen=True, slots=True)
class Folders:
    """Where blocks are built, on one file system."""

    kept: Path
    """Blocks that only hold what is read back far: the same at the next run."""
    latest: Path
    """Those that end now, for this run only."""


def build_past(
    folders: Folders, recorded: Sequence[Recorded], scraped: Scraped, now_ms: int, progress: Callable[[str], None]
) -> list[Path]:
    """The folders of all blocks up to now.

    Raises:
        PastError: promtool is missing or fails.
    """
    if shutil.which("promtool") is None:
        raise PastError("there is no promtool on PATH: run `make tools`")
    cache = folders.kept / f"history-{_fingerprint(recorded)}"
    lasting = tuple(one for one in recorded if one.look_back_ms > BLOCK_MS)
    oldest_ms = now_ms - max((one.look_back_ms for one in recorded), default=0)
    latest_ms = min(span.start for span in scraped.spans)
    windows = []
    for start in range(oldest_ms // BLOCK_MS * BLOCK_MS, now_ms, BLOCK_MS):
        end = start + BLOCK_MS
        if end <= latest_ms:
            windows.append((Window(Interval(start, end), lasting, end), cache / str(start)))
        else:
            span = Interval(start, min(end, now_ms))
            windows.append((Window(span, tuple(recorded), now_ms, scraped), folders.latest / str(start)))
    missing = [(window, place) for window, place in windows if not place.exists()]
    progress(f"{len(windows) - len(missing)} blocks of the past are kept, {len(missing)} are built")
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as workers:
        list(workers.map(_build, *zip(*missing, strict=True)))
    return [block for _, place in windows for block in place.iterdir()]


def _fingerprint(recorded: Sequence[Recorded]) -> str:
    text = json.dumps([asdict(one) for one in recorded] + [BLOCK_MS, _VALUES_REPEAT_AFTER])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _build(window: Window, folder: Path) -> None:
    """One window's block; the folder exists only when it is complete."""
    partial = folder.with_name(f"{folder.name}.partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    text = partial / "openmetrics.txt"
    with text.open("w", encoding="utf-8") as output:
        output.writelines(_lines(window))
        output.write("# EOF\n")
    blocks = partial / "blocks"
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", f"--max-block-duration={BLOCK_MS // HOUR}h"]
    done = subprocess.run([*command, "--quiet", text, blocks], capture_output=True, text=True, check=False)
    if done.returncode:
        raise PastError(f"promtool refuses the past that was written: {done.stderr.strip()[-500:]}")
    blocks.rename(folder)
    shutil.rmtree(partial)


def _lines(window: Window) -> Iterator[str]:
    """Text of all series of a window, a series at a time: the same times and values for all of a kind."""
    rendered: dict[tuple[int, int, int], list[str]] = {}
    for one in window.recorded:
        key = (one.interval_ms, one.look_back_ms, one.base_value)
        if key not in rendered:
            rendered[key] = list(_values(one, window))
        if rendered[key]:
            prefix = f"{one.sample_name} "
            yield prefix + prefix.join(rendered[key])
    if window.scraped is not None:
        yield from _scrapes(window.scraped, window.span)


def _values(one: Recorded, window: Window) -> Iterator[str]:
    start = max(window.span.start, window.until_ms - one.look_back_ms)
    for time_ms in range(-(-start // one.interval_ms) * one.interval_ms, window.span.end, one.interval_ms):
        slot = time_ms // one.interval_ms % _VALUES_REPEAT_AFTER
        yield f"{one.base_value + (slot if one.base_value > _VALUES_REPEAT_AFTER else 0)} {time_ms // SECOND}\n"


def _scrapes(scraped: Scraped, span: Interval) -> Iterator[str]:
    fleet = scraped.fleet
    times_ms = sorted(
        {
            time_ms
            for part in scraped.spans
            for time_ms in range(max(part.start, span.start), min(part.end, span.end), SCRAPE_INTERVAL_MS)
        }
    )
    constants = (("up", 1.0), ("process_start_time_seconds", fleet.started_ms / SECOND))
    for job in fleet.jobs:
        exposed = list(counters(job))
        for instance in INSTANCES:
            target = {"job": job, "instance": instance}
            for counter in exposed:
                yield _counted(counter, target, fleet, times_ms)
            for name, value in constants:
                prefix = sample_name({"__name__": name} | target)
                yield "".join(f"{prefix} {value} {time_ms / SECOND}\n" for time_ms in times_ms)


def _counted(counter: Counter, target: dict[str, str], fleet: Fleet, times_ms: Sequence[int]) -> str:
    prefix = sample_name(dict(counter.labels) | target)
    return "".join(f"{prefix} {counter.value(fleet.age_seconds(at))} {at / SECOND}\n" for at in times_ms)
