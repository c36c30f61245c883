"""What really happened, and what every counter showed at every scrape.

The truth counts events, not samples. Unavoidably unseen by anybody who scrapes: what a process counts between its last
scrape and its end or restart. It stays in the truth, and `unseen_bad_events` says how much of it was bad.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.world import SCRAPE_INTERVAL, Flags, Numbers, Observer, Target, Times
from benchmarks.simulation import MINUTE, Interval


@dataclass(frozen=True, slots=True)
class Truth:
    """Events of a window."""

    events: float = 0
    bad_events: float = 0
    unseen_bad_events: float = 0

    def __add__(self, other: "Truth") -> "Truth":
        return Truth(
            self.events + other.events,
            self.bad_events + other.bad_events,
            self.unseen_bad_events + other.unseen_bad_events,
        )

    @property
    def error_ratio(self) -> float:
        """Bad events per event; 0 when idle."""
        return self.bad_events / self.events if self.events else 0.0


@dataclass(frozen=True, slots=True)
class Shown:
    """One observer's scrapes of one target, failed ones included, and what the counters held then."""

    times: Times
    alive: Flags
    """The process ran and could be reached."""
    process_started: Times
    counted: Numbers
    """Events of each class (rows) since the process began."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One target: the truth by group, and what each observer was shown."""

    truth: Mapping[str, Truth]
    shown: tuple[Shown, ...]


def count(
    target: Target, observers: tuple[Observer, ...], during: Interval, window: Interval, random: np.random.Generator
) -> Counted:
    """Let the target's events happen: a Poisson number of each class between any two instants that matter."""
    scrapes = [scrape_times(target, observer, during) for observer in observers]
    life = Interval(max(target.life.start, during.start), min(target.life.end, during.end))
    instants = [np.array([life.start, life.end, *target.restarts, window.start, window.end]), *scrapes]
    edges = np.unique(np.concatenate(instants))
    edges = edges[(edges >= life.start) & (edges <= life.end)]
    happened = _events_between(target, edges, random)
    processes = np.array([life.start, *target.restarts])
    totals = np.concatenate([np.zeros((len(happened), 1)), np.cumsum(happened, axis=1)], axis=1)
    shown = tuple(_shown(target, times, edges, totals, processes) for times in scrapes)
    inside = (edges[:-1] >= window.start) & (edges[1:] <= window.end)
    seen_until = _last_scrapes(target, scrapes, edges, processes)
    return Counted(_truths(target, happened, inside, edges[1:] > seen_until), shown)


def count_minutes(
    targets: Sequence[Target], observer: Observer, during: Interval, window: Interval, phase: int
) -> Truth:
    """Time slices: the minutes, ending `phase` after each clock minute, in which a gauge was scraped, and the bad ones.

    A minute in which nothing was scraped is no event, by the definition of a time slice.
    """
    seen, bad = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for target in targets:
        times = scrape_times(target, observer, during)
        kept = target.life.holds(times) & window.holds(times)
        for interval in (*target.unreachable, *observer.down):
            kept &= ~interval.holds(times)
        times = times[kept]
        minutes = -((phase - times) // MINUTE)  # rounded up: the end of a minute belongs to it
        for gauge in target.gauges:
            seen.append(minutes)
            bad.append(minutes[gauge.bad(gauge.value(times))])
    return Truth(len(np.unique(np.concatenate(seen))), len(np.unique(np.concatenate(bad))))


def scrape_times(target: Target, observer: Observer, during: Interval) -> Times:
    """Every half minute while service discovery knows the target, whether or not the observer is running."""
    begin, end = max(target.watched.start, during.start), min(target.watched.end, during.end)
    phase = target.scrape_phase + observer.scrape_shift
    return np.arange(begin + (phase - begin) % SCRAPE_INTERVAL, end, SCRAPE_INTERVAL, dtype=np.int64)


def _events_between(target: Target, edges: Times, random: np.random.Generator) -> Numbers:
    middles = (edges[:-1] + edges[1:]) // 2
    lengths_seconds = np.diff(edges) / 1000
    rows = []
    for place, rate in enumerate(target.rates):
        row = random.poisson(rate(middles) * lengths_seconds).astype(np.float64)
        if place in target.planned:
            row += np.histogram(target.planned[place], bins=edges)[0]
        rows.append(row)
    return np.array(rows).reshape(len(target.rates), len(middles))


def _shown(target: Target, times: Times, edges: Times, totals: Numbers, processes: Times) -> Shown:
    alive = target.life.holds(times)
    for interval in target.unreachable:
        alive &= ~interval.holds(times)
    inside = np.clip(times, edges[0], edges[-1])  # outside its life the target shows nothing: any value will do
    process = np.searchsorted(processes, inside, side="right") - 1
    before = totals[:, np.searchsorted(edges, processes)]
    counted = totals[:, np.searchsorted(edges, inside)] - before[:, process]
    started = processes.copy()
    started[0] = target.life.start if target.process_started is None else target.process_started
    return Shown(times, alive, started[process], counted)


def _last_scrapes(target: Target, scrapes: list[Times], edges: Times, processes: Times) -> Times:
    """For each stretch between edges: the last scrape of its process by anybody who reached it."""
    reached = np.unique(np.concatenate(scrapes))
    for interval in target.unreachable:
        reached = reached[~interval.holds(reached)]
    reached = np.concatenate([[0], reached])
    ends = np.concatenate([processes[1:], [edges[-1] + 1]])
    last = reached[np.searchsorted(reached, ends, side="left") - 1]
    return last[np.searchsorted(processes, edges[:-1], side="right") - 1]


def _truths(target: Target, happened: Numbers, inside: Flags, unseen: Flags) -> Mapping[str, Truth]:
    truths: dict[str, Truth] = {}
    for row, kind in zip(happened, target.classes, strict=True):
        events = float(row[inside].sum())
        lost = float(row[inside & unseen].sum())
        truths[kind.group] = truths.get(kind.group, Truth()) + Truth(events, *((events, lost) if kind.bad else (0, 0)))
    return truths
