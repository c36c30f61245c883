"""An SLO's traffic as its alerts meet it: the events of a usual day, hour by hour in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from statistics import fmean, median

from sereno_slo.conventions import MOST_OF_MEDIAN, MOST_OF_RECENT
from sereno_slo.duration import Duration

HOURS_OF_A_DAY = 24
_HOUR = Duration.parse("1h")
_SLOTS_OF_AN_HOUR = 12
"""Of five minutes."""


@dataclass(frozen=True)
class Traffic:
    """A usual day. *Day* is its busiest hour, *night* its quietest one in which anything happens."""

    by_hour: tuple[float, ...]
    """The events of each hour of the day, 24 of them; some are above zero."""
    usual: float
    """`A` of docs/ledger.md: the usual events per five minutes."""
    hours_seen: int
    """How many hours of the past this was made of."""

    @property
    def day(self) -> int:
        """The hour of the day that is busiest, in UTC."""
        return max(range(HOURS_OF_A_DAY), key=lambda hour: self.by_hour[hour])

    @property
    def night(self) -> int:
        """The hour of the day in which least happens, but something."""
        hours = (hour for hour in range(HOURS_OF_A_DAY) if self.by_hour[hour] > 0)
        return min(hours, key=lambda hour: self.by_hour[hour])

    @property
    def idle_hours(self) -> int:
        """In how many hours of the day nothing happens."""
        return self.by_hour.count(0)

    def busiest(self, window: Duration) -> float:
        """The events of the busiest stretch of the day that is as long as the window."""
        return max(self._stretches(window))

    def quietest(self, window: Duration) -> float:
        """The same of the quietest stretch in which anything happens."""
        return min(events for events in self._stretches(window) if events > 0)

    def until(self, hour: int, minutes: float) -> float:
        """The events of the minutes that follow the beginning of an hour; of those before it, below zero."""
        days, minute = divmod(hour * 60 + minutes, HOURS_OF_A_DAY * 60)
        whole_hours = int(minute // 60)
        in_this_hour = self.by_hour[whole_hours] * (minute % 60) / 60
        return days * self._before[-1] + self._before[whole_hours] + in_this_hour - self._before[hour]

    def _stretches(self, window: Duration) -> list[float]:
        minutes = window / _HOUR * 60
        # Of less than an hour they lie within one, longer ones begin with one.
        return [self.until(hour, minutes) for hour in range(HOURS_OF_A_DAY)]

    @cached_property
    def _before(self) -> tuple[float, ...]:
        """The events before each hour of the day; the last one is all of the day's."""
        return tuple(accumulate(self.by_hour, initial=0.0))


def traffic_of(events: Mapping[int, float], usual: float | None = None) -> Traffic | None:
    """The traffic that hourly counts tell; None where they tell of no event.

    `events` are counts by hours since 1970 (UTC). Hours that lack between the first and the last one had no events.
    The first hour is left out where there are more: it was seen in part only. Each hour of the day has the median
    of its days, or their average where all medians are zero; one that was never seen has the average of the
    others. `usual` is what the ledger records; without it, it is made as the ledger makes it.
    """
    if not any(count > 0 for count in events.values()):
        return None
    first, last = min(events), max(events)
    counts = {hour: max(0.0, events.get(hour, 0.0)) for hour in range(first + (first < last), last + 1)}
    if not any(counts.values()):
        counts = dict(events)
    by_hour = [[count for hour, count in counts.items() if hour % HOURS_OF_A_DAY == h] for h in range(HOURS_OF_A_DAY)]
    typical = median if any(median(days) for days in by_hour if days) else fmean
    seen = [typical(days) for days in by_hour if days]
    return Traffic(
        by_hour=tuple(typical(days) if days else fmean(seen) for days in by_hour),
        usual=_usual(counts) if usual is None else usual,
        hours_seen=len(counts),
    )


def _usual(counts: Mapping[int, float]) -> float:
    """The least of: the average of whole days, a fifth more than their median, twice what came of late.

    Without a whole day, what the last day had.
    """
    last = max(counts)
    last_day = fmean(counts[hour] for hour in counts if hour > last - HOURS_OF_A_DAY)
    days = [day for day in {hour // HOURS_OF_A_DAY for hour in counts} if all(h in counts for h in _hours_of(day))]
    if not days:
        return last_day / _SLOTS_OF_AN_HOUR
    sums = [sum(counts[hour] for hour in _hours_of(day)) / HOURS_OF_A_DAY for day in days]
    candidates = [fmean(sums), MOST_OF_RECENT * max(counts[last], last_day)]
    if (most := MOST_OF_MEDIAN * median(sums)) > 0:
        candidates.append(most)
    return min(candidates) / _SLOTS_OF_AN_HOUR


def _hours_of(day: int) -> range:
    return range(day * HOURS_OF_A_DAY, (day + 1) * HOURS_OF_A_DAY)


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a server knows of an SLO's events."""

    traffic: Traffic | None
    """None where no event was seen."""
    is_from_ledger: bool = False
    """Counted by the ledger; else estimated from raw series."""
    matches: bool = True
    """Whether any series that matches the indicator's selector was seen."""
    bounds_seconds: tuple[float, ...] | None = None
    """The bounds of a classic latency histogram's buckets; None where nobody looked."""
