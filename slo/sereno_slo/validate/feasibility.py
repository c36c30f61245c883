"""What alerts need to fire at an SLO's traffic: how many failures, and how long a full outage goes unnoticed.

The conditions are those of `sereno_slo.plan.burn`, in numbers instead of PromQL. tests/slo/validate compares both on a
real Prometheus.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, assert_never

from sereno_slo.conventions import LONGEST_SUM_OF_MINUTES, MIN_RECENT_BAD_EVENTS
from sereno_slo.duration import FIVE_MINUTES, MINUTE, Duration
from sereno_slo.model import AlertingMode, AlertSeverity, BurnTier, ServiceLevelObjective, TimeSlices
from sereno_slo.policy import (
    EVIDENCE_Z,
    MOST_OF_USUAL,
    OUTAGE_RATIO,
    OUTAGE_WINDOW_OF_SLICES,
    OUTAGE_Z,
    is_feasible,
    outage_windows,
)
from sereno_slo.validate.traffic import Traffic

LONGEST_OUTAGE_MINUTES = 24 * 60
"""So long an outage is looked at: what finds it later is not called found."""

# Evaluations on whole minutes after an outage began, each seeing scrapes up to half a minute old (every 30 s). With
# other phases an alert comes up to a minute sooner or later.
_AGE_OF_A_SCRAPE_MINUTES = 0.5
# Events are counted in whole numbers: what is a hair below one is one.
_ROUNDING = 1e-6


class Counted(NamedTuple):
    """The events of a window, as entries count them."""

    bad: int
    events: int


@dataclass(frozen=True, slots=True)
class Reach:
    """What one alert needs at some traffic."""

    failures: int
    """The fewest that make it fire, all of them within the short window; where it can't, those that a window needs."""
    events: int
    """So many events this window has."""
    window: Duration
    """The long window, or the short one where only that has too few events."""
    outage_minutes: int | None
    """How long a full outage lasts until it fires; None where a day doesn't suffice."""

    @property
    def is_possible(self) -> bool:
        """Whether it fires when everything fails."""
        return self.failures <= self.events

    @property
    def share(self) -> float:
        """The failures needed as a part of the events; above 1 where there are not so many."""
        return self.failures / self.events


@dataclass(frozen=True, slots=True)
class AlertReach:
    """What one alert needs by day and by night."""

    tier: BurnTier | None
    """None is the outage alert."""
    by_day: Reach
    by_night: Reach

    @property
    def severity(self) -> AlertSeverity:
        """Whether it pages."""
        return AlertSeverity.CRITICAL if self.tier is None else self.tier.severity


@dataclass(frozen=True, slots=True)
class Feasibility:
    """What the burn alerts of an SLO can see at its traffic; the outage alert comes first."""

    slo: ServiceLevelObjective
    traffic: Traffic
    evaluation_delay: Duration | None
    alerts: tuple[AlertReach, ...]

    @property
    def page_by_day(self) -> int | None:
        """After how many minutes a full outage that begins with the busiest hour pages; None: not within a day."""
        return _first(alert.by_day.outage_minutes for alert in self._pages)

    @property
    def page_by_night(self) -> int | None:
        """The same of one that begins with the quietest hour."""
        return _first(alert.by_night.outage_minutes for alert in self._pages)

    @property
    def _pages(self) -> tuple[AlertReach, ...]:
        return tuple(alert for alert in self.alerts if alert.severity is AlertSeverity.CRITICAL)


def feasibility(slo: ServiceLevelObjective, traffic: Traffic, evaluation_delay: Duration | None = None) -> Feasibility:
    """Judge every burn alert that the SLO has; tiers that can never fire have none (SLO030)."""
    tiers = [tier for tier in slo.alerting.tiers if is_feasible(slo, tier)]
    delay_minutes = 0.0 if evaluation_delay is None else evaluation_delay / MINUTE
    by_day = _Outage(traffic, traffic.day, isinstance(slo.indicator, TimeSlices), delay_minutes)
    by_night = _Outage(traffic, traffic.night, isinstance(slo.indicator, TimeSlices), delay_minutes)
    return Feasibility(
        slo,
        traffic,
        evaluation_delay,
        (
            AlertReach(None, _of_outage(slo, traffic.busiest, by_day), _of_outage(slo, traffic.quietest, by_night)),
            *(
                AlertReach(
                    tier, _of_tier(slo, tier, traffic.busiest, by_day), _of_tier(slo, tier, traffic.quietest, by_night)
                )
                for tier in tiers
            ),
        ),
    )


def fires(slo: ServiceLevelObjective, tier: BurnTier, short: Counted, long: Counted, usual: float) -> bool:
    """Whether the tier's alert fires with these counts: its expression in numbers."""
    return any(
        condition.holds_of_short(short) and condition.holds_of_long(long) for condition in _conditions(slo, tier, usual)
    )


def is_outage(slo: ServiceLevelObjective, counted: Counted) -> bool:
    """Whether a window of the outage alert makes it fire: most of what happens is surely bad."""
    if isinstance(slo.indicator, TimeSlices):
        return counted.bad >= OUTAGE_WINDOW_OF_SLICES / MINUTE
    spread = math.sqrt(OUTAGE_RATIO * (1 - OUTAGE_RATIO) * counted.events)
    surely = counted.bad - OUTAGE_RATIO * counted.events > OUTAGE_Z * spread
    return surely and counted.bad >= slo.alerting.min_bad_events


@dataclass(frozen=True, slots=True)
class _Condition:
    """More than `F·B` of a base over both windows, and evidence."""

    slo: ServiceLevelObjective
    tier: BurnTier
    usual: float | None
    """The base is the usual traffic; None: it is the events themselves."""

    def holds_of_short(self, counted: Counted) -> bool:
        """Of the short window: some failures are recent."""
        recent = min(self.slo.alerting.min_bad_events, MIN_RECENT_BAD_EVENTS)
        return self._exceeds(self.tier.short, counted) and counted.bad >= recent

    def holds_of_long(self, counted: Counted) -> bool:
        """Of the long window: enough failures, surely more than the objective allows."""
        allowed = self.slo.error_budget_ratio * self._evident(counted.events)
        return (
            self._exceeds(self.tier.long, counted)
            and math.sqrt(counted.bad) - math.sqrt(allowed) > EVIDENCE_Z / 2
            and counted.bad >= self.slo.alerting.min_bad_events
        )

    def _exceeds(self, window: Duration, counted: Counted) -> bool:
        base = counted.events if self.usual is None else window / FIVE_MINUTES * self.usual
        return counted.bad > self.tier.factor(self.slo.window) * self.slo.error_budget_ratio * base

    def _evident(self, events: int) -> float:
        """The events that failures are compared with: not those of bots, where so many aren't usual."""
        if self.usual is None:
            return events
        most = MOST_OF_USUAL * (self.tier.long / FIVE_MINUTES) * self.usual
        is_busy = most >= self.slo.alerting.min_bad_events / self.slo.error_budget_ratio
        return most if events >= most and is_busy else events


def _conditions(slo: ServiceLevelObjective, tier: BurnTier, usual: float) -> tuple[_Condition, ...]:
    """By the mode: of budget really spent, of the error ratio, or either of them."""
    spends_budget, exceeds_ratio = _Condition(slo, tier, usual), _Condition(slo, tier, None)
    match slo.alerting.mode:
        case AlertingMode.BUDGET:
            return (spends_budget,)
        case AlertingMode.RATIO:
            return (exceeds_ratio,)
        case AlertingMode.BOTH:
            return (spends_budget, exceeds_ratio)
        case _:
            assert_never(slo.alerting.mode)


@dataclass(frozen=True, slots=True)
class _Outage:
    """All events fail from the beginning of an hour on."""

    traffic: Traffic
    hour: int
    is_of_slices: bool
    delay_minutes: float

    def counted(self, minute: int, window: Duration) -> Counted:
        """What an alert reads so many minutes after the beginning."""
        seen = self._seen(minute, window)
        now, then = self._counter(seen), self._counter(seen - window / MINUTE)
        return Counted(bad=now - max(then, 0) if now > 0 else 0, events=now - then)

    def _seen(self, minute: int, window: Duration) -> float:
        """Until when the window's entries reach."""
        last = minute
        if window > LONGEST_SUM_OF_MINUTES:
            # Made of roll-ups, whose last one is up to five minutes old and ends a minute before it was made.
            last = (minute - 1) // 5 * 5 - 1
        # A time slice is bad with its first bad value.
        return last - self.delay_minutes - (0 if self.is_of_slices else _AGE_OF_A_SCRAPE_MINUTES)

    def _counter(self, minutes: float) -> int:
        """A counter that is zero as the outage begins: events come evenly spread over their hour."""
        return math.floor(self.traffic.until(self.hour, minutes) + _ROUNDING)

    def first_minute(self, holds: Callable[[int], bool]) -> int | None:
        """When something holds for the first time."""
        return next((minute for minute in range(1, LONGEST_OUTAGE_MINUTES + 1) if holds(minute)), None)


def _of_tier(
    slo: ServiceLevelObjective, tier: BurnTier, events_in: Callable[[Duration], float], outage: _Outage
) -> Reach:
    short, long = (_whole(events_in(window)) for window in (tier.short, tier.long))
    usual = outage.traffic.usual

    def needed(condition: _Condition) -> tuple[int, int, Duration]:
        in_short = _fewest(lambda bad: condition.holds_of_short(Counted(bad, short)))
        in_long = _fewest(lambda bad: condition.holds_of_long(Counted(bad, long)))
        if in_short > short and in_long <= long:
            return in_short, short, tier.short
        return max(in_short, in_long) if in_long <= long else in_long, long, tier.long

    def fires_in(minute: int) -> bool:
        return fires(slo, tier, outage.counted(minute, tier.short), outage.counted(minute, tier.long), usual)

    fewest = min((needed(condition) for condition in _conditions(slo, tier, usual)), key=lambda need: need[0] / need[1])
    return Reach(*fewest, outage.first_minute(fires_in))


def _of_outage(slo: ServiceLevelObjective, events_in: Callable[[Duration], float], outage: _Outage) -> Reach:
    windows = outage_windows(slo.indicator)

    def needed(window: Duration) -> tuple[int, int, Duration]:
        events = _whole(events_in(window))
        return _fewest(lambda bad: is_outage(slo, Counted(bad, events))), events, window

    def fires_in(minute: int) -> bool:
        return any(is_outage(slo, outage.counted(minute, window)) for window in windows)

    # The shortest window that can show an outage, else the longest.
    needs = [needed(window) for window in windows]
    fewest = next((need for need in needs if need[0] <= need[1]), needs[-1])
    return Reach(*fewest, outage.first_minute(fires_in))


def _whole(events: float) -> int:
    """As many as a window holds at most, when they come evenly spread."""
    return math.ceil(events - _ROUNDING)


def _fewest(suffices: Callable[[int], bool]) -> int:
    """The smallest count from which on it suffices: doubled, then halved."""
    most = 1
    while not suffices(most):
        most *= 2
    least = most // 2
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (least, middle) if suffices(middle) else (middle, most)
    return most


def _first(minutes: Iterable[int | None]) -> int | None:
    return min((minute for minute in minutes if minute is not None), default=None)
