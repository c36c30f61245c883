"""What happens in a simulated month: targets that serve events, and Prometheus servers that watch them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.simulation import SECOND, Interval

Times = NDArray[np.int64]
"""Milliseconds since 1970."""
Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Rate = Callable[[Times], Numbers]
"""Something per second, or a ratio, at given times."""

SCRAPE_INTERVAL = 30 * SECOND


@dataclass(frozen=True, slots=True)
class EventClass:
    """Events that are alike: good or bad, and of which group."""

    bad: bool
    group: str = ""


@dataclass(frozen=True, slots=True)
class Stream:
    """One time series of a target: a counter of some classes of its events."""

    labels: Mapping[str, str]
    """With `__name__`; the target adds its own."""
    counts: tuple[int, ...]
    """Which of the target's classes it counts, by their place."""
    born_with_first_event: bool = False
    """Not exposed by a process before it has counted something, as labelled children of client libraries are."""
    hidden: tuple[Interval, ...] = ()
    """The exposition lacks it although the process counts on."""
    counted_before: float = 0
    """What the process had counted before the simulation begins, or before `life` where that is later."""


@dataclass(frozen=True, slots=True)
class NativeHistogram:
    """One native histogram of a target: each of its buckets holds one class of events."""

    labels: Mapping[str, str]
    classes: tuple[int, ...]
    lowest: int
    """See `benchmarks.simulation.NativeHistograms`."""
    counted_before: float = 0
    """In each bucket, by the process that ran when the simulation began."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """One time series that is judged minute by minute: a minute is bad if any value that was scraped in it is."""

    labels: Mapping[str, str]
    value: Rate
    """What it holds at given times."""
    bad: Callable[[Numbers], Flags]


@dataclass(frozen=True, slots=True)
class Target:
    """A process behind one scrape address. Events happen during `life`; counters begin anew at each restart."""

    labels: Mapping[str, str]
    """job and instance, or whatever names a target."""
    life: Interval
    classes: tuple[EventClass, ...]
    rates: tuple[Rate, ...]
    """Events a second of each class."""
    streams: tuple[Stream, ...]
    watched: Interval
    """While service discovery knows it."""
    scrape_phase: int = 0
    """Milliseconds past each half minute; servers shift it (see `Observer`)."""
    process_started: int | None = None
    """If long before `life`; otherwise `life.start`."""
    restarts: tuple[int, ...] = ()
    """The process is replaced in place, so quickly that no scrape need fail."""
    unreachable: tuple[Interval, ...] = ()
    """Scrapes fail, the process works on."""
    planned: Mapping[int, Times] = field(default_factory=dict)
    """Class to events that happen at these very times, beside the random ones."""
    exposes_process_start: bool = True
    gauges: tuple[Gauge, ...] = ()
    histograms: tuple[NativeHistogram, ...] = ()


@dataclass(frozen=True, slots=True)
class Observer:
    """One Prometheus: when it scrapes, and when it is not running."""

    name: str = "prometheus"
    scrape_shift: int = 0
    down: tuple[Interval, ...] = ()


@dataclass(frozen=True, slots=True)
class World:
    """Targets and observers during a span of time."""

    during: Interval
    targets: tuple[Target, ...]
    observers: tuple[Observer, ...] = (Observer(),)
