"""One scenario: a world, the spec under test, and how Prometheus is set up to watch it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from sereno_slo import Settings

from benchmarks.accuracy.world import World
from benchmarks.simulation import Interval

Build = Callable[[Interval, np.random.Generator], World]


class Topology(StrEnum):
    """Who evaluates the rules."""

    ONE = "one"
    """One Prometheus scrapes and evaluates."""
    ENTRIES_MERGED = "entries-merged"
    """Two replicas scrape and make entries; a third has one replica's entries, the other's where that has a gap, and
    evaluates what is made of entries (Thanos Ruler, Mimir with its HA tracker)."""
    SAMPLES_MERGED = "samples-merged"
    """Two replicas scrape; a third has one's samples, the other's where that has a gap, and evaluates everything."""


@dataclass(frozen=True, slots=True)
class Selectors:
    """What the peers' formulas read."""

    total: str
    bad: str = ""
    fast: str = ""
    """Instead of `bad`: the histogram bucket of the events that were fast enough."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A spec with one SLO, as a user would write it; and the same for the peers, where they can express it."""

    spec: str
    selectors: Selectors | None
    objective_percent: float
    group_label: str = ""
    """With `group_by`: the label whose values are judged one by one."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is simulated and judged."""

    name: str
    build: Build
    subject: Subject
    settings: Settings = field(default_factory=Settings)
    family: str = ""
    """Scenarios of one family differ in a detail, for instance a phase, and share one line of the table."""
    days: float | None = None
    """How long, where that matters; otherwise as long as the benchmark is asked to."""
    rules_since_days: float | None = None
    """The rules are younger than the targets: so many days before the end they begin."""
    phases: tuple[int, int] | None = None
    """Milliseconds: of the groups that are evaluated every minute, and of those every five; otherwise random."""
    topology: Topology = Topology.ONE
    must: bool = True
    """False where not even a perfect reader of the samples could know: shown for what coverage says, not judged."""
    flags: tuple[str, ...] = ()
    """Of the server, beside the usual ones."""
    needs: str = ""
    """An expression that must have an answer when the samples are written; otherwise the server is too old."""
    many_series: bool = False
    """Series come and go: queries over shorter ranges are cheaper."""

    @property
    def line(self) -> str:
        """The line of the table."""
        return self.family or self.name
