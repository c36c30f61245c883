"""Does every tier of the policy fire when it must, not before, and end soon after its cause?

The same rehearsal serves any policy: steady traffic turns bad, and this module counts in plain Python after how many
entries a tier must fire. What is usual comes out a little too low in a short test, so there are two answers: from when
on an alert is certain, and until when it is impossible.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from sereno_slo.conventions import LONGEST_SUM_OF_MINUTES, MIN_RECENT_BAD_EVENTS
from sereno_slo.duration import FIVE_MINUTES, MINUTE, Duration
from sereno_slo.model import AlertingMode, AlertSeverity, BurnTier, ServiceLevelObjective, TimeSlices
from sereno_slo.policy import EVIDENCE_Z, is_feasible
from sereno_slo.render.promtool.cases import Bench, Case, Expectation
from sereno_slo.render.promtool.streams import Counted, phases

_HOUR = Duration.parse("1h")
_HEALTHY_SLOTS = 12
_EVENTS_A_SCRAPE = 300
_EVENTS_A_SLOT = 3_000_000  # large, so that bad events are whole numbers
# How many times as bad as the tier allows: minutes show that half of the share is too early; in slots of five minutes
# the three days of the slowest tier take three hours.
_BY_MINUTES, _BY_SLOTS = 2.5, 24
# Roll-ups sum what was entered a minute before them, and alerts are judged before the roll-ups of their own time.
_LAG_OF_ROLL_UPS = 2
# What the first roll-ups of a test lack of the usual events, in entries.
_LACKING = 4
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Course:
    """Steady traffic: healthy entries, failing ones in which some events are bad, and healthy ones again."""

    entry: Duration
    """What an entry covers in this test: a minute, or five."""
    events: int
    """In each entry."""
    bad_events: int
    """In each failing entry."""
    healthy: int
    failing: int
    is_sliced: bool = False

    def bad_within(self, window: Duration, at: int) -> int:
        """The bad events of the window's entries, as a rule sees them at entry `at`."""
        first, last = self._seen(window, at)
        return self.bad_events * max(0, min(last, self.healthy + self.failing) - max(first, self.healthy + 1) + 1)

    def events_within(self, window: Duration, at: int) -> int:
        """The events of the window's entries, as a rule sees them at entry `at`."""
        first, last = self._seen(window, at)
        return self.events * max(0, last - max(first, 1) + 1)

    def _seen(self, window: Duration, at: int) -> tuple[int, int]:
        last = at - (_LAG_OF_ROLL_UPS if window > LONGEST_SUM_OF_MINUTES else 0)
        return last - math.ceil(window / self.entry) + 1, last

    def counted(self, scrapes: int, healed: int) -> Counted:
        """What is scraped so many times an entry, with so many healthy entries at the end."""
        if self.is_sliced:  # a bad value in the last scrape of a slice would be one in the next slice's first
            bad, last = self.failing * scrapes - (scrapes - 1), healed * scrapes + (scrapes - 1)
            return phases((self.healthy * scrapes, 1, 0), (bad, 1, 1), (last, 1, 0))
        events, bad_events = self.events // scrapes, self.bad_events // scrapes
        return phases(
            (self.healthy * scrapes, events, 0),
            (self.failing * scrapes, events, bad_events),
            (healed * scrapes, events, 0),
        )


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A course on which a tier fires, and the entries at which that can be told."""

    course: Course
    too_early: int
    fires: int
    ends: int


def tier_cases(bench: Bench) -> Iterator[Case]:
    """One case for each tier that this test's entries can judge; each tier is judged in one of the two files."""
    for tier in bench.slo.alerting.tiers:
        if is_feasible(bench.slo, tier) and entry_of(bench.slo, tier) == bench.entry:
            found = rehearsal(bench, tier)
            if found is not None:
                yield _burn(bench, tier, found)


def entry_of(slo: ServiceLevelObjective, tier: BurnTier) -> Duration:
    """The entries by which a tier is tested: minutes where it asks for them, else slots of five, a fifth of the work.

    Roll-ups are wrong in the file of minutes, where promtool makes them every minute.
    """
    if tier.long > LONGEST_SUM_OF_MINUTES:
        return FIVE_MINUTES
    is_of_slots = not any(window.milliseconds % FIVE_MINUTES.milliseconds for window in (tier.long, tier.short))
    if tier.long > _HOUR and is_of_slots and _failing(slo, tier, _course(slo, tier, FIVE_MINUTES, _EVENTS_A_SLOT), 0):
        return FIVE_MINUTES
    return MINUTE


def rehearsal(bench: Bench, tier: BurnTier) -> Rehearsal | None:
    """None where all entries of the long window being bad don't fire the tier: of time slices there may be too few."""
    slo = bench.slo
    scrapes = round(bench.entry / bench.scrape_interval)
    events = bench.events_a_scrape(_EVENTS_A_SCRAPE if bench.entry == MINUTE else _EVENTS_A_SLOT) * scrapes
    course = _course(slo, tier, bench.entry, events, scrapes)
    failing = _failing(slo, tier, course, bench.delayed_evaluations)
    if failing is None:
        return None
    course = replace(course, failing=failing)
    judge = _Judge(slo, tier, course, bench.delayed_evaluations)
    fires = ends = course.healthy + failing
    too_early = course.healthy
    while too_early + 1 < fires and not judge.is_possible(too_early + 1):
        too_early += 1
    while judge.is_possible(ends):
        ends += 1
    return Rehearsal(
        course, too_early, fires, ends + math.ceil(bench.lasting_minutes * MINUTE.seconds / bench.entry.seconds)
    )


def _course(slo: ServiceLevelObjective, tier: BurnTier, entry: Duration, events: int, scrapes: int = 1) -> Course:
    budget = slo.error_budget_ratio
    healthy = min(math.ceil(tier.long / entry), math.ceil(_HOUR / entry)) if entry == MINUTE else _HEALTHY_SLOTS
    if isinstance(slo.indicator, TimeSlices):
        return Course(entry, 1, 1, healthy, failing=0, is_sliced=True)
    # In windows of few days burn rates are below 1; what is not worse than the objective is no evidence.
    threshold = tier.factor(slo.window) * budget
    ratio = (
        min(1.0, _BY_MINUTES * min(1.0, max(1.5 * budget, threshold)))
        if entry == MINUTE
        else min(1.0, _BY_SLOTS * max(threshold, budget))
    )
    # Healthy entries tell the usual events. Where nearly everything may be bad, they would outweigh any burn.
    if entry == FIVE_MINUTES and ratio < 4 * budget:
        healthy = 0
    return Course(entry, events, math.ceil(ratio * events / scrapes) * scrapes, healthy, failing=0)


def _failing(slo: ServiceLevelObjective, tier: BurnTier, course: Course, delayed: int) -> int | None:
    """After how many failing entries the tier is certain to fire."""
    most = math.ceil(tier.long / course.entry) + _LAG_OF_ROLL_UPS + 1
    judge = _Judge(slo, tier, replace(course, failing=most), delayed)
    return next((failing for failing in range(1, most + 1) if judge.is_certain(course.healthy + failing)), None)


@dataclass(frozen=True, slots=True)
class _Judge:
    """The conditions of a tier (docs/ledger.md), counted anew; the rules must agree."""

    slo: ServiceLevelObjective
    tier: BurnTier
    course: Course
    delayed: int
    """Evaluations before the first samples, which expect nothing."""

    def is_certain(self, at: int) -> bool:
        """Whether every condition of the mode is met, however many events are usual, the first scrape's included."""
        return all(self._met(at, self._a_slot, 1 + _ROUNDING, self.course.events))

    def is_possible(self, at: int) -> bool:
        """Whether any condition may be met, where as few events are usual as the beginning of a test leaves."""
        seen = max(0, at - _LACKING) / (at + self.delayed)
        return any(self._met(at, self._a_slot * seen, 1 - _ROUNDING, 0))

    @property
    def _a_slot(self) -> float:
        return self.course.events * (FIVE_MINUTES / self.course.entry)

    def _met(self, at: int, usual: float, rigour: float, more_events: int) -> Iterator[bool]:
        """Each condition of the mode, with the evidence that all of them ask for."""
        windows = (self.tier.short, self.tier.long)
        bad_short, bad_long = (self.course.bad_within(window, at) for window in windows)
        events = {window: self.course.events_within(window, at) + more_events for window in windows}
        least, budget = self.slo.alerting.min_bad_events, self.slo.error_budget_ratio
        sure = math.sqrt(bad_long) - math.sqrt(budget * events[self.tier.long]) > EVIDENCE_Z / 2 * rigour
        evident = sure and bad_long >= least and bad_short >= min(least, MIN_RECENT_BAD_EVENTS)
        threshold = self.tier.factor(self.slo.window) * budget * rigour
        if self.slo.alerting.mode is not AlertingMode.RATIO:
            short, long = (window / FIVE_MINUTES * usual for window in windows)
            yield evident and bad_short > threshold * short and bad_long > threshold * long
        if self.slo.alerting.mode is not AlertingMode.BUDGET:
            short, long = (float(events[window]) for window in windows)
            yield evident and bad_short > threshold * short and bad_long > threshold * long


def labels_of(tier: BurnTier) -> dict[str, str]:
    """What tells the alert of a tier from those of other tiers."""
    return {"burn": tier.burn, "severity": str(tier.severity), "long_window": str(tier.long)}


def _burn(bench: Bench, tier: BurnTier, found: Rehearsal) -> Case:
    course, labels = found.course, labels_of(tier)
    tells = "pages" if tier.severity is AlertSeverity.CRITICAL else "makes a ticket"
    scrapes = round(bench.entry / bench.scrape_interval)
    return bench.case(
        f"a burn over {tier.long} {tells} and resolves after {tier.short}",
        bench.healthy(course.counted(scrapes, healed=found.ends - found.fires)),
        *_sums(bench, course, found.too_early),
        bench.burns(bench.entry * found.too_early, count=None, **labels),
        bench.burns(bench.entry * found.fires, count=1, **labels),
        # Half of the events bad, surely, is an outage; less is none.
        *(
            []
            if course.bad_events * 2 >= course.events
            else [bench.burns(bench.entry * found.fires, count=None, burn="outage")]
        ),
        bench.burns(bench.entry * found.ends, count=None, **labels),
    )


def _sums(bench: Bench, course: Course, at: int) -> Iterator[Expectation]:
    """What windows of minutes hold once they are full."""
    for window in ("30m", "1h") if bench.entry == MINUTE else ():
        entries = round(Duration.parse(window) / MINUTE)
        if at > entries:
            yield bench.recorded(str(MINUTE * at), f"sereno:events:{window}", course.events * entries)
