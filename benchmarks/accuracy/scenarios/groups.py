"""Budgets by route: every group is judged, and the worst one counts."""

from dataclasses import replace

import numpy as np

from benchmarks.accuracy.scenario import Scenario
from benchmarks.accuracy.scenarios.subjects import GROUPS
from benchmarks.accuracy.scenarios.traffic import (
    Traffic,
    at,
    constant,
    diurnal,
    during_intervals,
    pods,
    span,
)
from benchmarks.accuracy.world import EventClass, Rate, Stream, Target, World
from benchmarks.simulation import HOUR, Interval

PODS = 2


def routes(during: Interval) -> dict[str, Traffic]:
    """A busy route; one with an incident; a rare one; one that nobody calls before the third hour of the second day."""
    incident = span(at(during, 0.5, 14), HOUR)
    unborn = Interval(during.start, at(during, 0.3, 3))
    return {
        "/busy": Traffic(diurnal(20), constant(0.0005)),
        "/incident": Traffic(diurnal(5), during_intervals(0.2, [incident], constant(0.001))),
        "/rare": Traffic(constant(0.05), constant(0.02)),
        "/new": Traffic(during_intervals(0, [unborn], constant(2)), constant(0.005)),
    }


def by_route(during: Interval, random: np.random.Generator) -> World:
    """Two pods; each route's series are born with its first request, its error series with its first error."""
    targets = pods(PODS, during, Traffic(constant(0), constant(0)), random)
    return World(during, tuple(_with_routes(target, routes(during), during) for target in targets))


def _with_routes(target: Target, by_name: dict[str, Traffic], during: Interval) -> Target:
    classes: list[EventClass] = []
    rates: list[Rate] = []
    streams: list[Stream] = []
    for route, traffic in by_name.items():
        for code, bad, rate in zip(("200", "500"), (False, True), traffic.share(1 / PODS, during), strict=True):
            labels = {"__name__": "http_requests_total", "route": route, "code": code}
            streams.append(Stream(labels, (len(classes),), born_with_first_event=True))
            classes.append(EventClass(bad, route))
            rates.append(rate)
    return replace(target, classes=tuple(classes), rates=tuple(rates), streams=tuple(streams))


# Short: which groups are admitted depends on which were before, so that rule is evaluated one instant after the other.
SCENARIOS = (Scenario("groups by route, the worst of them", by_route, GROUPS, days=4),)
