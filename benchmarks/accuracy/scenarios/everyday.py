"""Long-running pods: steady and diurnal traffic, incidents of every size, a latency histogram."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from benchmarks.accuracy.scenario import Build, Scenario, Subject
from benchmarks.accuracy.scenarios.subjects import BAD_EVENTS, LATENCY, NATIVE_LATENCY, THRESHOLD_SECONDS, TWO_METRICS
from benchmarks.accuracy.scenarios.traffic import (
    BAD,
    GOOD,
    TEN_DAYS,
    Traffic,
    at,
    constant,
    diurnal,
    during_intervals,
    nightly,
    pods,
    span,
)
from benchmarks.accuracy.world import EventClass, NativeHistogram, Rate, Stream, Target, World
from benchmarks.simulation import DAY, HOUR, MINUTE, Interval

PODS = 3
USUAL = 0.0003
Incidents = Callable[[Interval], tuple[Interval, ...]]


def fleet(rate: Rate, incidents: Incidents, incident_ratio: float, usual: float = USUAL) -> Build:
    """Three pods with a usual error ratio, and a higher one during incidents."""

    def build(during: Interval, random: np.random.Generator) -> World:
        errors = during_intervals(incident_ratio, incidents(during), constant(usual))
        return World(during, pods(PODS, during, Traffic(rate, errors), random))

    return build


def never(_during: Interval) -> tuple[Interval, ...]:
    """No incident."""
    return ()


def once(hour: float, length: int, part: float = 0.4) -> Incidents:
    """One incident, at an hour of a day."""
    return lambda during: (span(at(during, part, hour), length),)


def blips(during: Interval) -> tuple[Interval, ...]:
    """Two minutes every other day, at ever other hours."""
    days = range(during.start, during.end - DAY, 2 * DAY)
    return tuple(span(day + (7 * number % 23) * HOUR + 13 * MINUTE, 2 * MINUTE) for number, day in enumerate(days))


def idle_nights_without_errors(during: Interval, random: np.random.Generator) -> World:
    """No requests from 22:00 to 6:00, and no failure ever: no error series exists."""
    rate = during_intervals(0, nightly(during, -2, 8), constant(20))
    return World(during, pods(PODS, during, Traffic(rate, constant(0)), random, late_errors=True))


def two_metrics(during: Interval, random: np.random.Generator) -> World:
    """All calls in one metric, failed ones in another that is born with its first failure."""

    def renamed(target: Target) -> Target:
        every = Stream({"__name__": "calls_total"}, (GOOD, BAD), counted_before=1e6)
        failed = Stream({"__name__": "calls_failed_total"}, (BAD,), born_with_first_event=True)
        return replace(target, streams=(every, failed))

    targets = pods(PODS, during, Traffic(diurnal(20), constant(USUAL)), random, late_errors=True)
    return World(during, tuple(renamed(target) for target in targets))


def histogram(during: Interval, random: np.random.Generator) -> World:
    """Diurnal traffic and an incident at the peak: a tenth of the requests take over a quarter of a second."""
    errors = during_intervals(0.1, once(14, HOUR)(during), constant(USUAL))

    def with_buckets(target: Target) -> Target:
        fast, slow = target.rates
        name = "http_request_duration_seconds"
        bounds = {"0.1": (0,), str(THRESHOLD_SECONDS): (0, 1), "1": (0, 1, 2), "+Inf": (0, 1, 2)}
        buckets = (
            Stream({"__name__": f"{name}_bucket", "le": bound}, counts, counted_before=1e6)
            for bound, counts in bounds.items()
        )
        return replace(
            target,
            classes=(EventClass(bad=False), EventClass(bad=False), EventClass(bad=True)),
            rates=(lambda times: 0.7 * fast(times), lambda times: 0.3 * fast(times), slow),
            streams=(*buckets, Stream({"__name__": f"{name}_count"}, (0, 1, 2), counted_before=1e6)),
        )

    targets = pods(PODS, during, Traffic(diurnal(20), errors), random)
    return World(during, tuple(with_buckets(target) for target in targets))


def native_histogram(during: Interval, random: np.random.Generator) -> World:
    """The same traffic in a native histogram that has a bucket bound at the threshold; every pod restarts once."""

    def with_histogram(target: Target) -> Target:
        fast, slow = target.rates
        name = {"__name__": "http_request_duration_seconds"}
        restart = during.start + int(random.uniform(0.2, 0.8) * (during.end - during.start))
        return replace(
            target,
            classes=(EventClass(bad=False), EventClass(bad=False), EventClass(bad=True)),
            rates=(lambda times: 0.7 * fast(times), lambda times: 0.3 * fast(times), slow),
            streams=(),
            # 62.5 to 125 ms, to 250 ms, to 500 ms.
            histograms=(NativeHistogram(name, (0, 1, 2), lowest=-3, counted_before=1e6),),
            restarts=(restart,),
        )

    errors = during_intervals(0.1, once(14, HOUR)(during), constant(USUAL))
    targets = pods(PODS, during, Traffic(diurnal(20), errors), random)
    return World(during, tuple(with_histogram(target) for target in targets))


def _scenario(name: str, build: Build, subject: Subject = BAD_EVENTS) -> Scenario:
    return Scenario(name, build, subject)


SCENARIOS = (
    _scenario("steady", fleet(constant(20), never, 0)),
    _scenario("diurnal", fleet(diurnal(20), never, 0)),
    _scenario("incident at peak", fleet(diurnal(20), once(14, HOUR), 0.1)),
    _scenario("incident at night: 30 % for 2 h", fleet(diurnal(20), once(1, 2 * HOUR), 0.3)),
    _scenario("slow burn of 3 for two days", fleet(diurnal(20), once(5, 2 * DAY), 0.003)),
    _scenario("full outage of 20 minutes", fleet(diurnal(20), once(16, 20 * MINUTE), 1.0)),
    _scenario("2-minute blips", fleet(diurnal(20), blips, 0.5)),
    _scenario("no error series ever, idle nights", idle_nights_without_errors),
    _scenario("two metrics, the error metric born late", two_metrics, TWO_METRICS),
    _scenario("latency histogram: diurnal, incident", histogram, LATENCY),
    Scenario(
        "native latency histogram: diurnal, incident, restarts",
        native_histogram,
        NATIVE_LATENCY,
        days=TEN_DAYS,
        flags=("--enable-feature=native-histograms",),
        needs="histogram_count(http_request_duration_seconds)",
    ),
)
