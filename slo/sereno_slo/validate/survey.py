"""What a server knows of an SLO's series, beside its traffic: frozen answers, which findings are made of.

Series are those that had a sample within the last hour, unless something else is said.
"""

from dataclasses import dataclass

from sereno_slo.duration import Duration
from sereno_slo.promql import Matcher, Selector

MOST_VALUES = 10
"""So many values of a label are named."""
RESETS_WITHIN_HOURS = 6
"""Falls of counters are looked for in so many hours."""


@dataclass(frozen=True, slots=True)
class LabelValues:
    """The values of a label, those of most series first."""

    label: str
    values: tuple[str, ...]
    """At most MOST_VALUES of them."""
    count: int
    """How many there are."""


@dataclass(frozen=True, slots=True)
class MatcherSight:
    """One matcher of a selector that selects nothing."""

    matcher: Matcher
    alone: int
    """How many series of the metric this matcher alone selects."""
    without: int
    """How many series all the others select."""
    labelled: int
    """How many series of the metric have its label."""
    values: LabelValues | None = None
    """What its label says on the series that the others select; looked at where this matcher is the one that fails."""


@dataclass(frozen=True, slots=True)
class SelectorSight:
    """What a selector selects, and why it selects nothing if it does."""

    selector: Selector
    series: int
    series_of_metric: int
    matchers: tuple[MatcherSight, ...] = ()
    """Looked at where the metric has series and none of them matches."""
    nearest: tuple[str, ...] = ()
    """Names of other metrics that are spelt alike, where this one has no series."""
    matches_elsewhere: bool = False
    """Whether what tells bad (or good) from other events was seen on any series of the metric in seven days."""
    unlabelled: tuple[Matcher, ...] = ()
    """The matchers whose label no series has: one that accepts an empty value is held by all of them."""


@dataclass(frozen=True, slots=True)
class PartSight:
    """Hours of the last seven days in which both counters of a ratio grew, and those in which the part grew more."""

    hours: int
    hours_above: int
    events: float
    """What the total grew by in the hours above."""
    part_events: float
    """What the part grew by in them."""


@dataclass(frozen=True, slots=True)
class TargetsSight:
    """The targets of a selector's series: the values of the identity labels."""

    selector: Selector
    targets: int
    without_label: tuple[str, ...]
    """Identity labels that some of the series lack."""
    without_up: int
    up_twice: int
    """Targets for which `up` has several series."""
    without_start: int
    """Targets whose process start isn't known; none where nothing asks for it."""


@dataclass(frozen=True, slots=True)
class GroupsSight:
    """How many groups the series make now."""

    groups: int
    missing_labels: tuple[str, ...]
    """Labels to group by that no series has."""
    biggest: tuple[tuple[tuple[str, ...], float], ...] = ()
    """Groups by their labels' values and their events of the last day; looked at where there are too many."""


@dataclass(frozen=True, slots=True)
class KindSight:
    """What a counter or gauge is, by its targets' word and by its values of the last day."""

    metric: str
    types: frozenset[str]
    """As the targets declare it; empty where they don't."""
    resets: float = 0
    """Of a counter: how often it went down on the target where it did so most without a restart."""
    lowest: float | None = None
    """Of a gauge."""
    highest: float | None = None


@dataclass(frozen=True, slots=True)
class ReachSight:
    """How far back the server knows the SLO's raw series, and how long it keeps samples."""

    days: int
    """How long ago there were any, to a thirtieth of the window; at most the window."""
    kept: Duration | None = None
    """None where the server doesn't tell, or keeps by size only."""


@dataclass(frozen=True, slots=True)
class Survey:
    """All of them for one SLO; None is what nobody asked, because it has no meaning for this SLO."""

    total: SelectorSight
    part: SelectorSight | None = None
    """Of the bad or good events of a ratio."""
    in_total: PartSight | None = None
    targets: TargetsSight | None = None
    part_targets: TargetsSight | None = None
    """Of the bad or good events, where they are counted by other targets."""
    groups: GroupsSight | None = None
    kinds: tuple[KindSight, ...] = ()
    reach: ReachSight | None = None
