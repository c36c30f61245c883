"""A simulated past for the demo: what the compiled rules would have recorded, written into Prometheus as blocks.

`history` of a system.yaml says how many events a minute has, or names the module that says it of each minute; this one
counts them as the rules do: minute entries, five-minute roll-ups, windows, budget. Sums of entries are sums of entries,
here and there.
"""

import json
import os
import subprocess
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from types import MappingProxyType
from typing import TextIO

import numpy as np
from sereno_slo.conventions import MIN_STEP_EVENTS
from sereno_slo.duration import Duration
from sereno_slo.model import Journey, Objective, Service, ServiceLevelObjective
from sereno_slo.plan import series
from sereno_slo.plan.series import MINUTE_WINDOWS, ROLL_UP_WINDOWS

from sereno_cli.demo.parts import Run, python_path
from sereno_cli.demo.places import DemoError
from sereno_cli.demo.systems import System

DAYS = 30
_MINUTE_SECONDS = 60
_DAY = Duration.parse("1d")
_SPENT_PART = 0.1
# What a postmortem of the demo's first minutes counts has really happened: its evidence begins before them.
_CALM_MINUTES = 30
_ROLL_UP_MINUTES = 5
# What a step of a journey is judged by (sereno_slo.plan.journeys).
_RECENT_STEP_MINUTES, _HOUR_MINUTES = 5, 60
# Figures of the short windows serve dashboards only: a day of them will do.
_RECENT_MINUTES = 24 * 60
# One block for the whole past: promtool reads its input once for each block. Hidden in its help, there since 2.24.
_BLOCK = "--max-block-duration=2400h"

Point = tuple[int, float]
"""Seconds since the epoch, value."""


@dataclass(frozen=True, slots=True)
class Minutes:
    """What happened in each minute to one SLO: `events[i]` in the minute that ends at `first_seconds + 60·i`."""

    first_seconds: int
    events: Sequence[float]
    bad_events: Sequence[float]


def write_history(run: Run, system: System, services: Mapping[str, Service], until_seconds: float) -> int:
    """Write the system's simulated past into Prometheus' data: its ledger, and raw series where a module tells them.

    Returns the number of samples written. Prometheus must not run yet.

    Raises:
        DemoError: the system or promtool failed; the message holds what it said.
    """
    folder = run.places.state / "history" / system.name
    folder.mkdir(parents=True, exist_ok=True)
    match system.history:
        case None:
            return 0
        case str():
            return _told_by_module(run, system, services[system.specs[0]], folder, until_seconds)
        case usual:
            return _usual(run, usual, services, folder, until_seconds)


def _usual(
    run: Run, usual: Mapping[str, float], services: Mapping[str, Service], folder: Path, until_seconds: float
) -> int:
    """A past without trouble: so many events a minute, and bad ones that spend a tenth of the budget."""
    known = {f"{slo.service}/{slo.name}" for service in services.values() for slo in service.slos}
    if strangers := sorted(usual.keys() - known):
        raise DemoError(f"history of {folder.name}: {', '.join(strangers)} is no SLO of slo/specs")
    ledger = folder / "ledger.om"
    with ledger.open("w") as file:
        samples = 0
        for service in services.values():
            told = {
                slo.name: quiet_minutes(slo, usual[f"{slo.service}/{slo.name}"], until_seconds)
                for slo in service.slos
                if f"{slo.service}/{slo.name}" in usual
            }
            samples += sum(_write_slo(file, slo, told[slo.name]) for slo in service.slos if slo.name in told)
            for journey in service.journeys:
                if all(step.service == service.name and step.slo in told for step in journey.steps):
                    samples += _write_slo(file, journey, journey_minutes(told, journey))
        file.write("# EOF\n")
    _into_prometheus(run, ledger)
    return samples


def quiet_minutes(slo: ServiceLevelObjective, events_per_minute: float, until_seconds: float) -> Minutes:
    """So many events a minute as chance has it, the same for the same SLO; bad ones spend a tenth of the budget.

    None is bad at the end.
    """
    chance = np.random.default_rng(zlib.crc32(f"{slo.service}/{slo.name}".encode()))
    count = DAYS * 24 * 60
    last = int(until_seconds) // _MINUTE_SECONDS * _MINUTE_SECONDS
    events = chance.poisson(events_per_minute, count)
    bad = chance.binomial(events, _SPENT_PART * slo.error_budget_ratio)
    bad[-_CALM_MINUTES:] = 0
    return Minutes(last - (count - 1) * _MINUTE_SECONDS, events.tolist(), bad.tolist())


def _told_by_module(run: Run, system: System, service: Service, folder: Path, until_seconds: float) -> int:
    arguments = [run.programs.python, "-m", str(system.history), "--days", str(DAYS), "--out", str(folder)]
    _run([*arguments, "--until", f"{until_seconds:.0f}"], python_path(run.places, system))
    document = json.loads((folder / "minutes.json").read_text())
    told = {slo.name: _minutes(document, slo.name) for slo in service.slos}
    ledger = folder / "ledger.om"
    with ledger.open("w") as file:
        samples = sum(_write_slo(file, slo, told[slo.name]) for slo in service.slos)
        samples += sum(_write_slo(file, journey, journey_minutes(told, journey)) for journey in service.journeys)
        file.write("# EOF\n")
    for source in (ledger, folder / "raw.om"):
        _into_prometheus(run, source)
    return samples


def _into_prometheus(run: Run, source: Path) -> None:
    create = [run.programs.promtool, "tsdb", "create-blocks-from", "openmetrics", _BLOCK]
    _run([*create, str(source), str(run.places.prometheus_data)])


def _run(arguments: Sequence[str], environment: Mapping[str, str] = MappingProxyType({})) -> None:
    done = subprocess.run(
        arguments, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=300
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise DemoError(f"the demo's past can't be written: {' '.join(arguments[:4])} said:\n{said}")


def _minutes(told: dict[str, object], slo: str) -> Minutes:
    match told:
        case {"first_seconds": int(first), "slos": dict(slos)}:
            match slos.get(slo):
                case {"events": list(events), "bad_events": list(bad)}:
                    return Minutes(first, events, bad)
    raise DemoError(f"the system tells no past of {slo}: add it to its history, or take it out of the spec")


def journey_minutes(told: Mapping[str, Minutes], journey: Journey) -> Minutes:
    """What the journey's rules would have entered: bad are those that don't get through all steps."""
    steps = [told[step.slo] for step in journey.steps]
    first = steps[0]
    through = [1.0] * len(first.events)
    for step in steps:
        events, bad_events = _Counts(step.events), _Counts(step.bad_events)
        for index in range(len(through)):
            count = (
                _RECENT_STEP_MINUTES if events.last(_RECENT_STEP_MINUTES, index) >= MIN_STEP_EVENTS else _HOUR_MINUTES
            )
            passed = events.last(count, index)
            through[index] *= 1 - min(1.0, bad_events.last(count, index) / passed) if passed else 1.0
    bad = [number * (1 - part) for number, part in zip(first.events, through, strict=True)]
    return Minutes(first.first_seconds, first.events, bad)


def _write_slo(file: TextIO, slo: Objective, minutes: Minutes) -> int:
    written = 0
    for name, points in recorded_series(slo, minutes):
        labels = f'{{service="{slo.service}",slo="{slo.name}"}}'
        file.write(f"# TYPE {name} gauge\n")
        for seconds, value in points:
            file.write(f"{name}{labels} {value!r} {seconds}\n")
            written += 1
    return written


def recorded_series(slo: Objective, minutes: Minutes) -> Iterator[tuple[str, Iterable[Point]]]:
    """Every series that the rules of this SLO record, as they would have recorded it."""
    times = [minutes.first_seconds + _MINUTE_SECONDS * index for index in range(len(minutes.events))]
    yield series.EVENTS_ENTRY, zip(times, minutes.events, strict=True)
    yield series.BAD_EVENTS_ENTRY, zip(times, minutes.bad_events, strict=True)
    yield series.COVERAGE_ENTRY, ((seconds, 1) for seconds in times)
    yield from _minute_windows(times, minutes)
    yield from _five_minute_series(slo, times, minutes)
    recent = times[-_RECENT_MINUTES:]
    yield series.OBJECTIVE, ((seconds, slo.objective_ratio) for seconds in recent)
    yield series.WINDOW, ((seconds, slo.window.seconds) for seconds in recent)


class _Counts:
    """Sums over trailing windows of entries."""

    def __init__(self, entries: Sequence[float]) -> None:
        self._until = list(accumulate(entries, initial=0))

    def last(self, count: int, end: int) -> float:
        """The sum of up to `count` entries, the last of which is entry number `end`."""
        return self._until[end + 1] - self._until[max(0, end + 1 - count)]


def _minute_windows(times: Sequence[int], minutes: Minutes) -> Iterator[tuple[str, Iterable[Point]]]:
    events, bad_events = _Counts(minutes.events), _Counts(minutes.bad_events)
    recent = range(max(0, len(times) - _RECENT_MINUTES), len(times))
    for window in MINUTE_WINDOWS:
        count = _slots(window, _MINUTE_SECONDS)
        yield from _window_series(str(window), [(i, times[i]) for i in recent], count, events, bad_events)


def _slots(window: Duration, slot_seconds: int) -> int:
    return int(window.seconds) // slot_seconds


def _window_series(
    name: str, at: Sequence[tuple[int, int]], count: int, events: _Counts, bad_events: _Counts
) -> Iterator[tuple[str, Iterable[Point]]]:
    yield f"sereno:events:{name}", [(seconds, events.last(count, i)) for i, seconds in at]
    yield f"sereno:bad_events:{name}", [(seconds, bad_events.last(count, i)) for i, seconds in at]
    yield (
        f"sereno:error_ratio:{name}",
        [(seconds, bad_events.last(count, i) / (events.last(count, i) or 1)) for i, seconds in at],
    )


def _budget(
    slo: Objective, at: Sequence[tuple[int, int]], count: int, events: _Counts, bad_events: _Counts
) -> Iterator[tuple[str, Iterable[Point]]]:
    """What is left of it, and in how many seconds that is gone at the last day's pace; no value where that has none."""
    left = [1 - bad_events.last(count, i) / (events.last(count, i) or 1) / slo.error_budget_ratio for i, _ in at]
    yield series.BUDGET_REMAINING, [(seconds, part) for (_, seconds), part in zip(at, left, strict=True)]
    a_day = _slots(_DAY, _MINUTE_SECONDS * _ROLL_UP_MINUTES)
    gone_in = []
    for (i, seconds), part in zip(at, left, strict=True):
        if part <= 0:
            gone_in.append((seconds, 0.0))
        elif bad := bad_events.last(a_day, i):
            allowed = slo.error_budget_ratio * events.last(count, i)
            gone_in.append((seconds, part * allowed / bad * _DAY.seconds))
    yield series.EXHAUSTED_IN, gone_in


def _five_minute_series(
    slo: Objective, times: Sequence[int], minutes: Minutes
) -> Iterator[tuple[str, Iterable[Point]]]:
    # The last roll-up lies five minutes back: the running server's first one must not count its entries again.
    ends = [i for i in range(len(times) - _ROLL_UP_MINUTES) if (times[i] // _MINUTE_SECONDS) % _ROLL_UP_MINUTES == 0]
    events, bad_events = _Counts(minutes.events), _Counts(minutes.bad_events)
    # A roll-up sums what was entered until a minute before it.
    event_sums = [events.last(_ROLL_UP_MINUTES, i - 1) for i in ends]
    bad_event_sums = [bad_events.last(_ROLL_UP_MINUTES, i - 1) for i in ends]
    seconds = [times[i] for i in ends]
    yield series.EVENTS_ROLL_UP, zip(seconds, event_sums, strict=True)
    yield series.BAD_EVENTS_ROLL_UP, zip(seconds, bad_event_sums, strict=True)
    yield series.COVERAGE_ROLL_UP, ((second, _ROLL_UP_MINUTES) for second in seconds)
    # Without them the running server's first roll-up would sum the last half an hour again.
    yield series.ROLL_UP_MARK, ((second, 1) for second in seconds)
    # Figures once more at the end: readers look ten minutes back, and the running server's first ones come within five.
    at = [*enumerate(seconds), *((len(seconds) - 1, times[-1]) for _ in seconds[-1:])]
    rolled_events, rolled_bad = _Counts(event_sums), _Counts(bad_event_sums)
    windows = {str(window): window for window in ROLL_UP_WINDOWS} | {"window": slo.window}
    for name, window in windows.items():
        count = _slots(window, _MINUTE_SECONDS * _ROLL_UP_MINUTES)
        yield from _window_series(name, at, count, rolled_events, rolled_bad)
    # Its days are alike, so that the average over all of them is that of the last week.
    count = _slots(slo.window, _MINUTE_SECONDS * _ROLL_UP_MINUTES)
    yield series.EXPECTED_EVENTS, [(s, rolled_events.last(count, i) / min(count, i + 1)) for i, s in at]
    yield from _budget(slo, at, count, rolled_events, rolled_bad)
    yield series.COVERAGE, [(s, min(count, i + 1) / count) for i, s in at]
