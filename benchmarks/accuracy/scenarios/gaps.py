"""Scrapes that fail, and a Prometheus that is not running."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from benchmarks.accuracy.scenario import Build, Scenario
from benchmarks.accuracy.scenarios.subjects import BAD_EVENTS
from benchmarks.accuracy.scenarios.traffic import TEN_DAYS, Traffic, at, constant, diurnal, during_intervals, pods, span
from benchmarks.accuracy.world import Observer, World
from benchmarks.simulation import HOUR, MINUTE, SECOND, Interval

INCIDENT_RATIO = 0.3
USUAL = 0.0002
Gaps = Callable[[Interval], tuple[Interval, ...]]


def _incident(during: Interval) -> Interval:
    return span(at(during, 0.4, 14), HOUR)


def _traffic(during: Interval) -> Traffic:
    return Traffic(diurnal(20), during_intervals(INCIDENT_RATIO, [_incident(during)], constant(USUAL)))


def scrapes_fail(gap: Callable[[Interval], Interval], *, targets: int = 3) -> Build:
    """Scrapes of some of three pods fail for a while, and their counters run on."""

    def build(during: Interval, random: np.random.Generator) -> World:
        fleet = pods(3, during, _traffic(during), random)
        unreachable = (gap(_incident(during)),)
        cut_off = (replace(target, unreachable=unreachable) for target in fleet[:targets])
        return World(during, (*cut_off, *fleet[targets:]))

    return build


def prometheus_down(gaps: Gaps) -> Build:
    """Prometheus is not running for a while: nothing is scraped, nothing evaluated, and the counters run on."""

    def build(during: Interval, random: np.random.Generator) -> World:
        return World(during, pods(3, during, _traffic(during), random), (Observer(down=gaps(during)),))

    return build


def outage_in_incident(begins: int, length: int) -> Gaps:
    """One outage, so many milliseconds after the incident's beginning."""
    return lambda during: (span(_incident(during).start + begins, length),)


def short_restarts(during: Interval) -> tuple[Interval, ...]:
    """Prometheus is restarted every four hours, in ever other phases, and once more within the incident."""
    regular = [span(start + 61_000 * number, 90 * SECOND) for number, start in _every(during, 4 * HOUR)]
    return (*regular, span(_incident(during).start + 10 * MINUTE, 90 * SECOND))


def _every(during: Interval, step: int) -> enumerate[int]:
    return enumerate(range(during.start + HOUR, during.end - HOUR, step))


def _phase_scenarios() -> tuple[Scenario, ...]:
    """20 minutes' outage within an incident: each minute of the five-minute group, four beginnings in the minute."""
    return tuple(
        Scenario(
            f"Prometheus down 20 minutes in an incident, 5m phase {minute}, from second {second}",
            prometheus_down(outage_in_incident(20 * MINUTE + second * SECOND + 250, 20 * MINUTE)),
            BAD_EVENTS,
            family="Prometheus down 20 minutes in an incident, every phase",
            days=1.5,
            # The minute group's phase moves, too: before, at and after the outage's beginning within the minute.
            phases=((7 + 17 * minute) % 60 * SECOND + 501, minute * MINUTE + (11 + 13 * minute) % 60 * SECOND + 733),
        )
        for minute in range(5)
        for second in (0, 14, 29, 47)
    )


def _length_scenarios() -> tuple[Scenario, ...]:
    """Other lengths, each from three moments."""
    return tuple(
        Scenario(
            f"Prometheus down {minutes} minutes in an incident, from minute {begin}",
            prometheus_down(outage_in_incident(begin * MINUTE + 19_500, minutes * MINUTE)),
            BAD_EVENTS,
            family="Prometheus down 3, 8, 13 minutes in an incident",
            days=1.5,
        )
        for minutes in (3, 8, 13)
        for begin in (-2, 21, 54)
    )


SCENARIOS = (
    Scenario(
        "scrape gap of 10 minutes inside an incident",
        scrapes_fail(lambda incident: span(incident.start + 20 * MINUTE, 10 * MINUTE)),
        BAD_EVENTS,
        days=TEN_DAYS,
    ),
    Scenario(
        "scrape gap of 10 minutes as an incident begins",
        scrapes_fail(lambda incident: span(incident.start, 10 * MINUTE)),
        BAD_EVENTS,
        days=TEN_DAYS,
    ),
    Scenario(
        "scrape gap of 10 minutes after an incident, one pod of three",
        scrapes_fail(lambda incident: span(incident.end, 10 * MINUTE), targets=1),
        BAD_EVENTS,
        days=TEN_DAYS,
    ),
    Scenario("Prometheus restarted every 4 h for 90 s", prometheus_down(short_restarts), BAD_EVENTS, days=TEN_DAYS),
    *_phase_scenarios(),
    *_length_scenarios(),
    Scenario(
        "Prometheus down 2 h, partly in an incident",
        prometheus_down(outage_in_incident(50 * MINUTE, 2 * HOUR)),
        BAD_EVENTS,
        days=TEN_DAYS,
        must=False,
    ),
)
