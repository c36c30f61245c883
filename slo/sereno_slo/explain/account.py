"""What is in one SLO's window: the roll-ups that its figures are sums of; what doesn't count is kept apart."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sereno_slo.duration import FIVE_MINUTES, MINUTE, Duration
from sereno_slo.explain.counted import Counting, ExcludedTime, own_window
from sereno_slo.model import ServiceLevelObjective
from sereno_slo.plan.entries import may_be_negative
from sereno_slo.plan.series import Ledger

SLOT_MS = FIVE_MINUTES.milliseconds
FRESH_MS = 2 * SLOT_MS
"""What is recorded every five minutes is told as of now when it is at most so old, as alerts and dashboards do."""
LAG_MS = MINUTE.milliseconds
"""A roll-up sums what was entered until a minute before it."""

Points = dict[int, float]
"""Values by milliseconds since 1970."""


class NotRecorded(Exception):  # noqa: N818 - reads as what happened
    """The server answers, but has nothing to explain; the message tells no series from no data."""


class SeveralLedgers(Exception):  # noqa: N818 - reads as what happened
    """The server has the ledger more than once, under labels that rules don't give; the message names them."""


@dataclass(frozen=True, slots=True)
class RollUps:
    """What was recorded under one name within the window, whether it counts or not."""

    events: Points
    bad_events: Points
    event_entries: Points
    """The minutes that are in the roll-ups, and tell when within five minutes something happened."""
    bad_event_entries: Points


@dataclass(frozen=True, slots=True)
class Account:
    """The roll-ups of a window as it was with the evaluation `evaluated_ms`; milliseconds since 1970."""

    slo: ServiceLevelObjective
    ledger: Ledger
    counting: Counting
    asked_ms: int
    """The moment that was asked about."""
    evaluated_ms: int
    """The last evaluation before it: the figures are those that it recorded."""
    begun_ms: int | None
    """When the ledger began, where that lies within the window; None where it is older."""
    by_name: tuple[RollUps, ...]
    """Today's name first, then those that the SLO had before."""
    events: Points
    """Of all names, without what is excluded."""
    bad_events: Points
    covered_minutes: Points
    """Seen, or excluded while rules were evaluated."""
    marks: tuple[int, ...]
    """When roll-ups were evaluated."""
    usual_events: float
    """The events of five minutes to come, by the rules of a calendar window; 0 of others."""

    @property
    def window(self) -> Duration:
        """How long the window was with the evaluation: a calendar's has passed so far."""
        return Duration(max(self.evaluated_ms - self.begins_ms, 1))

    @property
    def begins_ms(self) -> int:
        """When the window began."""
        return milliseconds(own_window(self.slo, moment(self.evaluated_ms))[0])

    @property
    def ends_ms(self) -> int | None:
        """When the calendar's window ends, and its budget is whole again; None of rolling ones."""
        end = own_window(self.slo, moment(self.evaluated_ms))[1]
        return None if end is None else milliseconds(end)

    @property
    def start_ms(self) -> int:
        """The window holds what was rolled up after this."""
        return counted_from(self.slo, self.evaluated_ms, self.counting)

    @property
    def is_fresh(self) -> bool:
        """Whether the last evaluation is as recent as it should be."""
        return self.asked_ms - self.evaluated_ms <= FRESH_MS

    @property
    def looked_at(self) -> datetime:
        """When instant questions are asked: now, or when the rules were evaluated last."""
        return moment(self.asked_ms if self.is_fresh else self.evaluated_ms)

    @property
    def all_events(self) -> Points:
        """Of all names, excluded ones, too: traffic as it was."""
        return merged(each.events for each in self.by_name)

    @property
    def total_events(self) -> float:
        """The window's events: `sereno:events:window` as it was recorded."""
        return sum(self.events.values())

    @property
    def total_bad_events(self) -> float:
        """The window's bad events: `sereno:bad_events:window` as it was recorded."""
        total = sum(self.bad_events.values())
        return max(total, 0.0) if may_be_negative(self.slo.indicator) else total

    @property
    def planned_events(self) -> float:
        """The events that the budget is a part of: of a calendar's window also those to come, as many as usual."""
        ends_ms = self.ends_ms
        to_come = 0.0 if ends_ms is None else self.usual_events * (ends_ms - self.evaluated_ms) / SLOT_MS
        return self.total_events + to_come

    @property
    def budget_events(self) -> float:
        """So many bad events are 100 % of the budget."""
        return self.slo.error_budget_ratio * self.planned_events

    def counts_minute(self, entered_ms: int) -> bool:
        """Whether the roll-up counts that holds what was entered in a minute."""
        index = bisect_left(self.marks, entered_ms + LAG_MS)
        rolled_up_ms = self.marks[index] if index < len(self.marks) else entered_ms + LAG_MS
        return not self.counting.left_out_by(rolled_up_ms)

    def excluded_times(self) -> Iterator[ExcludedTime]:
        """What each exclusion left out, those that left out nothing left out themselves."""
        events, bad_events = self.all_events, merged(each.bad_events for each in self.by_name)
        begin, end, budget = self.begins_ms / 1000, self.evaluated_ms / 1000, self.budget_events
        for one in self.slo.exclusions:
            hours = sum(last - first for first, last in one.schedule.between(begin, end)) / 3600
            seen, bad = (
                sum(value for at_ms, value in points.items() if self.counting.left_out_by(at_ms) == one)
                for points in (events, bad_events)
            )
            if hours or seen:
                share = bad / budget if budget > 0 else 0.0
                yield ExcludedTime(one.in_words, one.reason, one.author, hours, seen, bad, share)


def counted_from(slo: ServiceLevelObjective, evaluated_ms: int, counting: Counting) -> int:
    """Of a calendar's window those of the first whole step on that begins after it, as the rules have it."""
    start_ms = milliseconds(own_window(slo, moment(evaluated_ms))[0])
    if slo.calendar is None:
        return start_ms
    first_step_ms = ((start_ms + counting.delay_ms) // SLOT_MS + 1) * SLOT_MS
    return min(first_step_ms, evaluated_ms)


def merged(several: Iterable[Points]) -> Points:
    """The sums of what several series have."""
    sums: Points = {}
    for points in several:
        for at_ms, value in points.items():
            sums[at_ms] = sums.get(at_ms, 0.0) + value
    return sums


def milliseconds(at: datetime) -> int:
    """Since 1970."""
    return round(at.timestamp() * 1000)


def name_of(slo: ServiceLevelObjective, ledger: Ledger) -> str:
    """`service/slo`, and the group where it is one's."""
    group = ", ".join(f"{matcher.label}={matcher.value}" for matcher in ledger.group)
    return f"{slo.service}/{slo.name}" + (f" of {group}" if group else "")


def moment(at_ms: float) -> datetime:
    """The moment, in UTC."""
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=round(at_ms))
