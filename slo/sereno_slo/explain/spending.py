"""When the budget was spent, by hour and by day: what roll-ups hold, so that the parts sum up to the window's figures.

Minute entries say when within its five minutes a roll-up's events happened. What a roll-up holds beyond its entries
(what a stop of Prometheus missed, what a repair added) is booked in its middle.
"""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sereno_slo.duration import MINUTE
from sereno_slo.explain.account import LAG_MS, SLOT_MS, Account, Points, merged, moment
from sereno_slo.explain.counted import Counting

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
# A roll-up holds what was entered from six minutes to one minute before it.
_MIDDLE_OF_ROLL_UP_MS = LAG_MS + SLOT_MS // 2
_MIDDLE_OF_ENTRY_MS = MINUTE.milliseconds // 2
# A roll-up after a stop holds the entries of up to thirty minutes.
_LONGEST_ROLL_UP_MS = 6 * SLOT_MS
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Stretch:
    """An hour or a day (UTC) of the window. Its edges are exact to the minute of an entry."""

    begin: datetime
    events: float
    bad_events: float
    budget_share: float
    """What it spent, as a part of the whole window's budget; 0 where nothing happened at all."""

    @property
    def error_ratio(self) -> float:
        """Bad events of all; an idle stretch has none."""
        return self.bad_events / self.events if self.events > 0 else 0.0


def hours(account: Account) -> tuple[Stretch, ...]:
    """Every hour in which something happened, in order of time."""
    return _stretches(account, HOUR_MS)


def days(account: Account) -> tuple[Stretch, ...]:
    """Every day in which something happened, in order of time."""
    return _stretches(account, DAY_MS)


def _stretches(account: Account, length_ms: int) -> tuple[Stretch, ...]:
    counting, of_names = account.counting, account.by_name
    events = _by(merged(_booked(each.events, each.event_entries, counting) for each in of_names), length_ms)
    bad_events = _by(merged(_booked(each.bad_events, each.bad_event_entries, counting) for each in of_names), length_ms)
    budget = account.budget_events
    return tuple(
        Stretch(moment(begin), events.get(begin, 0.0), bad, bad / budget if budget > 0 else 0.0)
        for begin in sorted({*events, *bad_events})
        for bad in (bad_events.get(begin, 0.0),)
        if bad or events.get(begin, 0.0)
    )


def _by(points: Points, length_ms: int) -> Points:
    sums: Points = defaultdict(float)
    for at_ms, value in points.items():
        sums[at_ms // length_ms * length_ms] += value
    return sums


def _booked(roll_ups: Points, entries: Points, counting: Counting) -> Points:
    """What roll-ups that count hold, at the middle of the minutes in which it happened."""
    booked: Points = defaultdict(float)
    moments, before_ms = sorted(entries), 0
    for at_ms in sorted(roll_ups):
        # The first one of a window may have caught something up: what lies before the window isn't read.
        since_ms = max(before_ms, at_ms - _LONGEST_ROLL_UP_MS) if before_ms else at_ms - SLOT_MS
        before_ms = at_ms
        if counting.left_out_by(at_ms):
            continue
        held = moments[bisect_right(moments, since_ms - LAG_MS) : bisect_right(moments, at_ms - LAG_MS)]
        for moment_ms in held:
            booked[moment_ms - _MIDDLE_OF_ENTRY_MS] += entries[moment_ms]
        beyond = roll_ups[at_ms] - sum(entries[moment_ms] for moment_ms in held)
        if abs(beyond) > _ROUNDING:
            booked[at_ms - _MIDDLE_OF_ROLL_UP_MS] += beyond
    return booked
