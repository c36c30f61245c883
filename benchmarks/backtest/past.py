"""The past of a shop as a Prometheus holds it: counters of a few targets, scraped every 30 seconds, and trouble."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.simulation import DAY, HOUR, MINUTE, SECOND, Interval, Series, stale_markers

SCRAPE_MS = 30 * SECOND
END_MS = 1_738_368_000_000
"""Midnight, 1 February 2025 UTC: in the past of every clock."""
SPEC = """\
version: sereno/v1
service: shop
owner: sales
tier: critical
slos:
  - name: orders
    objective: 99.9
    indicator:
      ratio: {metric: orders_total, match: 'job="shop"', bad: 'code="500"'}
"""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trouble:
    """A share of the events fails for a while; moments are counted back from the end."""

    before_end_ms: int
    length_ms: int
    failing_ratio: float
    note: str

    def during(self, end_ms: int) -> Interval:
        """When."""
        begin = end_ms - self.before_end_ms
        return Interval(begin, begin + self.length_ms)


@dataclass(frozen=True, slots=True)
class Past:
    """How much there is, and what happens in it."""

    length_ms: int
    raw_series: int
    targets: int
    events_a_minute: float
    troubles: Sequence[Trouble]
    restart_before_end_ms: int
    """The first target's process is replaced; a scrape fails meanwhile."""
    stop_before_end_ms: int
    """Prometheus itself stands still for `STOP_MS`."""
    unreachable_before_end_ms: int = 0
    """No target answers for `UNREACHABLE_MS`; 0: never."""
    end_ms: int = END_MS


UNREACHABLE_MS = 12 * MINUTE
STOP_MS = 35 * MINUTE
MONTH_OF_TROUBLE = (
    Trouble(24 * DAY + 9 * HOUR, 25 * MINUTE, 0.9, "load balancer without backends"),
    Trouble(17 * DAY + 3 * HOUR, 10 * HOUR, 0.005, "slow replica"),
    Trouble(9 * DAY + 14 * HOUR, 90 * MINUTE, 0.03, "bad deployment"),
    Trouble(3 * DAY + 20 * HOUR, 12 * MINUTE, 0.35, "database failover"),
)


def month(raw_series: int, days: int) -> Past:
    """Four incidents in the last 30 days, a restart, and a stop of Prometheus."""
    return Past(
        days * DAY,
        raw_series,
        max(2, raw_series // 20),
        events_a_minute=600,
        troubles=MONTH_OF_TROUBLE,
        restart_before_end_ms=9 * DAY + 12 * HOUR + 28 * MINUTE,
        stop_before_end_ms=6 * DAY + 2 * HOUR,
    )


def series_of(past: Past, seed: int = 1) -> Iterator[Series]:
    """Everything that was scraped; the same for the same seed."""
    random = np.random.default_rng(seed)
    errors = max(1, past.raw_series // 10)
    for place in range(past.targets):
        target = _Target(past, place)
        yield from target.facts()
        good = range(place, past.raw_series - errors, past.targets)
        bad = range(place, errors, past.targets)
        for index in good:
            rate = past.events_a_minute / (past.raw_series - errors) * (1 - target.failing())
            yield target.counter(random, {"code": "200", "handler": f"handler-{index // past.targets}"}, rate)
        for index in bad:
            rate = past.events_a_minute / errors * target.failing()
            yield target.counter(random, {"code": "500", "handler": f"handler-{index // past.targets}"}, rate)


class _Target:
    def __init__(self, past: Past, place: int) -> None:
        self._past, self._place = past, place
        phase = (7 * SECOND * place + SECOND) % SCRAPE_MS
        begin = past.end_ms - past.length_ms
        self._times = np.arange(begin + phase, past.end_ms, SCRAPE_MS, dtype=np.int64)
        stop = past.end_ms - past.stop_before_end_ms
        self._running = ~Interval(stop, stop + STOP_MS).holds(self._times)
        restart = past.end_ms - past.restart_before_end_ms
        self._is_new = (self._times >= restart) & (place == 0)
        unreachable = past.end_ms - past.unreachable_before_end_ms
        self._failed = Interval(restart - SCRAPE_MS, restart).holds(self._times) & (place == 0)
        self._failed |= Interval(unreachable, unreachable + UNREACHABLE_MS).holds(self._times)

    def facts(self) -> Iterator[Series]:
        """Whether it answered, and since when its process runs."""
        yield self._series("up", {}, (~self._failed).astype(float), self._running)
        begun = np.where(self._is_new, self._past.end_ms - self._past.restart_before_end_ms, END_MS - 400 * DAY)
        yield self._series("process_start_time_seconds", {}, begun / SECOND, self._running & ~self._failed, mark=True)

    def failing(self) -> Floats:
        """The share of events that fail, at each scrape."""
        shares = np.full(len(self._times), 0.0001)
        for trouble in self._past.troubles:
            shares[trouble.during(self._past.end_ms).holds(self._times)] = trouble.failing_ratio
        return shares

    def counter(self, random: np.random.Generator, labels: Mapping[str, str], a_minute: Floats) -> Series:
        """A counter of events that come by day more than by night."""
        hours = self._times / HOUR % 24
        by_hour = 1 - 0.6 * np.cos(2 * np.pi * (hours - 3) / 24)
        counts = np.cumsum(random.poisson(a_minute * by_hour * SCRAPE_MS / MINUTE)).astype(float)
        if self._is_new.any():
            first = int(np.argmax(self._is_new))
            counts[first:] -= counts[first - 1]
        return self._series("orders_total", labels, counts, self._running & ~self._failed, mark=True)

    def _series(
        self, name: str, labels: Mapping[str, str], values: Floats, there: NDArray[np.bool_], *, mark: bool = False
    ) -> Series:
        """With a staleness marker where a scrape failed."""
        ends = self._failed & np.concatenate([[False], there[:-1]])
        kept = there | ends if mark else there
        stored = values.copy()
        stored[ends & mark] = stale_markers(int((ends & mark).sum()))
        own = {"__name__": name, "job": "shop", "instance": f"10.0.0.{self._place}:8080", **labels}
        return Series(own, self._times[kept], stored[kept])
