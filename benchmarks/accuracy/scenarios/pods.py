"""Pods that come and go, restart, and are found late."""

from dataclasses import replace

import numpy as np
from sereno_slo import Settings
from sereno_slo.duration import Duration

from benchmarks.accuracy.scenario import Build, Scenario
from benchmarks.accuracy.scenarios.subjects import BAD_EVENTS, GOOD_EVENTS
from benchmarks.accuracy.scenarios.traffic import (
    BAD,
    EDGE,
    TEN_DAYS,
    Traffic,
    at,
    constant,
    diurnal,
    during_intervals,
    newborn,
    nightly,
    pod,
    pods,
    span,
)
from benchmarks.accuracy.world import Stream, Target, Times, World
from benchmarks.simulation import DAY, HOUR, MINUTE, SECOND, Interval

GENERATION = 3 * HOUR


def replaced_every_three_hours(during: Interval, random: np.random.Generator) -> World:
    """Four pods, each replaced after three hours by one with a new name; discovery takes 5 to 150 seconds."""
    traffic = Traffic(diurnal(20), constant(0.002))
    targets: list[Target] = []
    for slot in range(4):
        starts = range(during.start - slot * GENERATION // 4, during.end, GENERATION)
        for number, start in enumerate(starts):
            life = Interval(max(start, during.start), min(start + GENERATION, during.end))
            old = pod(f"{slot}-{number}", during, traffic, random, part=1 / 4, late_errors=True)
            delay = int(random.integers(5 * SECOND, 150 * SECOND))
            watched = Interval(life.start + delay if start > during.start else life.start, life.end)
            targets.append(newborn(old, life, watched))
    return World(during, tuple(targets))


def restarted_in_place(during: Interval, random: np.random.Generator) -> World:
    """Each pod restarts about twice a day behind the same address, its error series born late each time."""
    targets = []
    for target in pods(3, during, Traffic(diurnal(20), constant(0.002)), random, late_errors=True):
        days = (during.end - during.start) // DAY
        restarts = np.sort(random.integers(during.start + HOUR, during.end - HOUR, max(1, 2 * days)))
        targets.append(replace(target, restarts=tuple(int(moment) for moment in restarts)))
    return World(during, tuple(targets))


def storm_of_resets(error_ratio: float) -> Build:
    """For an hour every pod restarts every two to three minutes; a part of the storm's requests fails."""
    return lambda during, random: _storm(during, random, error_ratio)


def _storm(during: Interval, random: np.random.Generator, error_ratio: float) -> World:
    storm = span(at(during, 0.5, 11), HOUR)
    errors = during_intervals(error_ratio, [storm], constant(0.002))
    targets = []
    for target in pods(3, during, Traffic(diurnal(20), errors), random, late_errors=True):
        pauses = random.integers(120 * SECOND, 180 * SECOND, 30)
        moments = storm.start + np.cumsum(pauses)
        targets.append(replace(target, restarts=tuple(int(moment) for moment in moments[moments < storm.end])))
    return World(during, tuple(targets))


def old_target_is_discovered(during: Interval, random: np.random.Generator) -> World:
    """A process that has counted for a year, idle now, is discovered and gets traffic an hour later."""
    discovered = at(during, 0.5, 10)
    traffic = Traffic(constant(15), constant(0.0005))
    late = Traffic(during_intervals(0, [Interval(during.start, discovered + HOUR)], constant(5)), constant(0.0005))
    huge = pod("old", during, late, random)
    streams = tuple(replace(stream, counted_before=1e9) for stream in huge.streams)
    found = replace(huge, watched=Interval(discovered, during.end), streams=streams)
    return World(during, (*pods(3, during, traffic, random), found))


def every_six_hours(during: Interval) -> Times:
    """Moments of restarts, away from the edges."""
    return np.arange(during.start + HOUR, during.end - HOUR, 6 * HOUR, dtype=np.int64)


def planned_restarts(during: Interval, random: np.random.Generator, *, failure_after: int) -> World:
    """A pod at half a request a second that restarts every six hours, with one failure in each process."""
    traffic = Traffic(constant(0.5), constant(0))
    target = pod("planned", during, traffic, random, late_errors=True)
    restarts = every_six_hours(during)
    # Just after a scrape: everything planned within the next seconds happens before the next one.
    restarts += (target.scrape_phase - restarts) % (30 * SECOND) + 2 * SECOND
    steady = pod("steady", during, Traffic(constant(0.5), constant(0.0002)), random)
    planned = replace(
        target, restarts=tuple(int(moment) for moment in restarts), planned={BAD: restarts + failure_after}
    )
    return World(during, (planned, steady))


def counter_looks_unchanged(during: Interval, random: np.random.Generator) -> World:
    """One failure in each process, before its first scrape: 1 before the restart, 1 after it."""
    return planned_restarts(during, random, failure_after=10 * SECOND)


def counter_looks_grown(during: Interval, random: np.random.Generator) -> World:
    """Processes whose counter shows 2 are followed by ones whose first scrape shows 5: five failures, not three."""
    moments = every_six_hours(during)
    traffic = Traffic(constant(0.5), constant(0))
    target = pod("grown", during, traffic, random, late_errors=True)
    moments += (target.scrape_phase - moments) % (30 * SECOND) + 2 * SECOND
    restarts = np.sort(np.concatenate([moments, moments + HOUR]))
    failures = [moments + delay for delay in (5 * SECOND, 9 * SECOND)]
    failures += [moments + HOUR + delay for delay in (5 * SECOND, 9 * SECOND, 13 * SECOND, 17 * SECOND, 20 * SECOND)]
    grown = replace(target, restarts=tuple(int(m) for m in restarts), planned={BAD: np.sort(np.concatenate(failures))})
    steady = pod("steady", during, Traffic(constant(0.5), constant(0.0002)), random)
    return World(during, (grown, steady))


def first_error_after_the_restart(during: Interval, random: np.random.Generator) -> World:
    """One failure in each process, three minutes after its start: the series is gone, marked, and born again at 1."""
    return planned_restarts(during, random, failure_after=3 * MINUTE)


def scaled_to_zero(during: Interval, random: np.random.Generator) -> World:
    """All pods end at 22:00 and new ones start at 6:00; two of them, with their error series born late."""
    traffic = Traffic(constant(20), constant(0.001))
    targets = []
    for number, night in enumerate(nightly(during, -2, 8)):
        day = Interval(max(night.end, during.start), min(night.end + 16 * HOUR, during.end))
        if day.start >= day.end:
            continue
        for slot in range(2):
            old = pod(f"{slot}-{number}", during, traffic, random, part=1 / 2, late_errors=True)
            delay = int(random.integers(5 * SECOND, 90 * SECOND))
            watched = Interval(min(day.start + delay, day.end - EDGE), day.end)
            targets.append(newborn(old, day, watched))
    return World(during, tuple(targets))


def without_process_start(during: Interval, random: np.random.Generator) -> World:
    """Replaced pods whose exposition has no process start, behind addresses that stay: up is all there is."""
    traffic = Traffic(diurnal(20), constant(0.002))
    targets = []
    for target in pods(3, during, traffic, random, late_errors=True):
        restarts = np.sort(random.integers(during.start + HOUR, during.end - HOUR, 20))
        targets.append(replace(target, restarts=tuple(int(m) for m in restarts), exposes_process_start=False))
    return World(during, tuple(targets))


def huge_series_appears(during: Interval, random: np.random.Generator) -> World:
    """A relabelling rule is removed: a series that the process has exposed for a year becomes visible.

    What it had counted until then is no event of this SLO's window; what it counts from now on is.
    """
    moment = at(during, 0.5, 10)
    hidden = (Interval(during.start - DAY, moment),)
    targets = pods(2, during, Traffic(constant(20), constant(0.001)), random)
    appearing = Stream({"__name__": "http_requests_total", "code": "503"}, (2,), hidden=hidden, counted_before=5e6)
    first = targets[0]
    kind = replace(first.classes[BAD])
    seen = during_intervals(0, hidden, constant(0.01))
    return World(
        during,
        (
            replace(
                first,
                classes=(*first.classes, kind),
                rates=(*first.rates, seen),
                streams=(*first.streams, appearing),
            ),
            *targets[1:],
        ),
    )


SCENARIOS = (
    Scenario(
        "pods replaced every 3 h, error series born late", replaced_every_three_hours, BAD_EVENTS, many_series=True
    ),
    Scenario("restart in place", restarted_in_place, BAD_EVENTS, days=TEN_DAYS),
    Scenario("restart in place, good events counted", restarted_in_place, GOOD_EVENTS, days=TEN_DAYS),
    # Samples that come two minutes late are there when rules look two minutes back: lateness itself is not played.
    Scenario(
        "restart in place, evaluation delay of 2 minutes",
        restarted_in_place,
        BAD_EVENTS,
        days=TEN_DAYS,
        settings=Settings(evaluation_delay=Duration.parse("2m")),
    ),
    Scenario("storm of resets", storm_of_resets(0.002), BAD_EVENTS, days=TEN_DAYS),
    # Not judged by the promise: every twentieth error dies with its process before anybody has scraped it.
    Scenario("storm of resets, errors in the storm", storm_of_resets(0.05), BAD_EVENTS, must=False, days=TEN_DAYS),
    Scenario("old target discovered with a huge counter", old_target_is_discovered, BAD_EVENTS, days=TEN_DAYS),
    Scenario("restart, counter looks unchanged (1 → 1)", counter_looks_unchanged, BAD_EVENTS, days=TEN_DAYS),
    Scenario("restart, counter looks grown (2 → 5)", counter_looks_grown, BAD_EVENTS, days=TEN_DAYS),
    Scenario(
        "restart, first error 3 minutes later (1 → gone → 1)", first_error_after_the_restart, BAD_EVENTS, days=TEN_DAYS
    ),
    Scenario("scale to zero every night", scaled_to_zero, BAD_EVENTS, many_series=True),
    Scenario(
        "no process-start metric, restarts in place",
        without_process_start,
        BAD_EVENTS,
        days=TEN_DAYS,
        settings=Settings(process_start_metric=None),
    ),
    # Not judged by the promise, and not kept: a count that appears in a watched process may as well be a burst of new
    # errors, which has to be counted; samples don't tell (docs/ledger.md, "What remains").
    Scenario("huge series appears in a watched target", huge_series_appears, BAD_EVENTS, days=TEN_DAYS, must=False),
)
