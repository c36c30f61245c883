"""Building blocks of scenarios: rates over the day, incidents, and pods that serve them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.accuracy.scenarios.subjects import JOB
from benchmarks.accuracy.world import (
    SCRAPE_INTERVAL,
    EventClass,
    Numbers,
    Rate,
    Stream,
    Target,
    Times,
)
from benchmarks.simulation import DAY, HOUR, MINUTE, Interval

GOOD, BAD = 0, 1
PEAK_HOUR = 14
# An entry is known a moment after its minute and a roll-up after its five: what happens in the last minutes isn't lost,
# but not counted yet. Every judged window begins and ends in quiet minutes, so that this is not taken for an error. Not
# in idle ones: they would leave sloth without a value in every scenario.
EDGE = 12 * MINUTE
QUIET = 0.01
LONG_AGO = 20 * DAY
TEN_DAYS = 10.0
"""Enough where what is tried happens once or every few hours; a single incident weighs more than in thirty."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What clients do: events a second, and the part of them that goes wrong."""

    rate: Rate
    error_ratio: Rate

    def share(self, part: float, during: Interval) -> tuple[Rate, Rate]:
        """The rates of good and bad events at a pod that gets a part of the traffic."""
        calm = calm_at((during.start, during.end), self)
        return (
            lambda times: part * calm.rate(times) * (1 - calm.error_ratio(times)),
            lambda times: part * calm.rate(times) * calm.error_ratio(times),
        )


def calm_at(moments: Sequence[int], traffic: Traffic) -> Traffic:
    """The same, but with hardly any traffic and no errors around the moments."""
    around = [Interval(moment - EDGE, moment + EDGE) for moment in moments]

    def calmed(times: Times) -> Numbers:
        return traffic.rate(times) * during_intervals(QUIET, around, constant(1))(times)

    return Traffic(calmed, during_intervals(0, around, traffic.error_ratio))


def constant(value: float) -> Rate:
    """The same at all times."""
    return lambda times: np.full(len(times), float(value))


def diurnal(mean: float, lowest: float = 0.1) -> Rate:
    """A day's wave around `mean`, highest at 14:00, `lowest` times the mean at 2:00."""

    def rate(times: Times) -> Numbers:
        wave: Numbers = np.cos(2 * np.pi * (times / HOUR - PEAK_HOUR) / 24)
        return mean * (1 + (1 - lowest) * wave)

    return rate


def during_intervals(value: float, intervals: Sequence[Interval], otherwise: Rate) -> Rate:
    """`value` inside the intervals."""

    def rate(times: Times) -> Numbers:
        values = otherwise(times)
        for interval in intervals:
            values = np.where(interval.holds(times), value, values)
        return values

    return rate


def at(during: Interval, part: float, hour: float) -> int:
    """An hour of the day that lies at a part of the whole span."""
    day = during.start + part * (during.end - during.start)
    return int(day // DAY * DAY + hour * HOUR)


def span(start: int, length: int) -> Interval:
    """From a moment on, so long."""
    return Interval(start, start + length)


def nightly(during: Interval, from_hour: float, hours: float) -> tuple[Interval, ...]:
    """Each night, or whatever hours of each day."""
    midnights = range(during.start // DAY * DAY, during.end, DAY)
    return tuple(span(midnight + int(from_hour * HOUR), int(hours * HOUR)) for midnight in midnights)


def http_streams(*, late_errors: bool, counted_before: float = 0) -> tuple[Stream, Stream]:
    """One counter by status code."""
    name = "http_requests_total"
    return (
        Stream({"__name__": name, "code": "200"}, (GOOD,), counted_before=counted_before),
        Stream(
            {"__name__": name, "code": "500"},
            (BAD,),
            born_with_first_event=late_errors,
            # Another ratio than today's: whoever takes the past for events of the window is found out.
            counted_before=0 if late_errors else counted_before / 20,
        ),
    )


def instance(name: object) -> dict[str, str]:
    """The labels of a target."""
    return {"job": JOB, "instance": f"pod-{name}:8080"}


def scrape_phase(random: np.random.Generator) -> int:
    """Any millisecond of the half minute."""
    return int(random.integers(SCRAPE_INTERVAL))


def pod(
    name: object,
    during: Interval,
    traffic: Traffic,
    random: np.random.Generator,
    *,
    part: float = 1.0,
    late_errors: bool = False,
) -> Target:
    """A pod that has run for long when the simulation begins, and runs on."""
    return Target(
        labels=instance(name),
        life=during,
        classes=(EventClass(bad=False), EventClass(bad=True)),
        rates=traffic.share(part, during),
        streams=http_streams(late_errors=late_errors, counted_before=0 if late_errors else 1e7),
        watched=during,
        scrape_phase=scrape_phase(random),
        process_started=during.start - LONG_AGO,
    )


def pods(
    count: int, during: Interval, traffic: Traffic, random: np.random.Generator, *, late_errors: bool = False
) -> tuple[Target, ...]:
    """Some of them, with equal parts of the traffic."""
    return tuple(
        pod(number, during, traffic, random, part=1 / count, late_errors=late_errors) for number in range(count)
    )


def newborn(old: Target, life: Interval, watched: Interval) -> Target:
    """The same pod, started within the simulation and found by discovery a moment later."""
    streams = tuple(replace(stream, counted_before=0) for stream in old.streams)
    return replace(old, life=life, watched=watched, process_started=None, streams=streams)
