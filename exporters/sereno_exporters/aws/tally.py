"""A counter out of sums of minutes that still grow: it never goes down, and in the end it is the true sum.

CloudWatch's sum of a minute grows for a while after the minute. So a minute is counted first when it is `delay` old, is
read again until it is `convergence` old, and what it has grown by is added. Then it is settled, and never read again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

MINUTE = 60
MILLIONTHS = 1_000_000
"""Sums are whole millionths: adding floating-point numbers in another order could make a counter a hair smaller, which
Prometheus takes for a restart from nought."""
RETAINED_SECONDS = 14 * 86_400
"""CloudWatch keeps minutes for 15 days; what is older is lost."""
MOST_SECONDS_AT_ONCE = 6 * 3_600
"""Of a counter that lags behind, after the exporter was away."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How late CloudWatch may be, in seconds."""

    delay: float
    convergence: float


@dataclass(frozen=True, slots=True)
class Span:
    """Minutes from `start` until before `end`, in seconds since the epoch."""

    start: int
    end: int

    def __contains__(self, minute: int) -> bool:
        return self.start <= minute < self.end


@dataclass(frozen=True, slots=True)
class Tally:
    """What is known of one counter; amounts are millionths, moments seconds since the epoch."""

    settled_until: int
    """All minutes before are in `settled`, or were before the counter began."""
    settled: int = 0
    pending: Mapping[int, int] = field(default_factory=dict)
    """Minute → the largest sum that was read of it."""
    newest: int | None = None
    """The newest minute that had a datapoint."""
    lost_minutes: int = 0
    """That CloudWatch had forgotten before they were read."""

    @property
    def total(self) -> float:
        """The counter's value; it never goes down."""
        return (self.settled + sum(self.pending.values())) / MILLIONTHS


def minute_of(seconds: float) -> int:
    """The minute that this moment is in."""
    return int(seconds // MINUTE) * MINUTE


def begun(now: float, patience: Patience) -> Tally:
    """A counter that counts from now on, that is: from the first minute that is not counted yet."""
    return Tally(settled_until=minute_of(now - patience.delay))


def remembered(tally: Tally, now: float) -> Tally:
    """The same, without minutes that CloudWatch has forgotten; they are counted as lost."""
    oldest = minute_of(now - RETAINED_SECONDS)
    if tally.settled_until >= oldest:
        return tally
    lost = tally.lost_minutes + (oldest - tally.settled_until) // MINUTE
    kept = {minute: value for minute, value in tally.pending.items() if minute >= oldest}
    gone = sum(tally.pending.values()) - sum(kept.values())
    return replace(tally, settled_until=oldest, settled=tally.settled + gone, pending=kept, lost_minutes=lost)


def counted(tally: Tally, sums: Mapping[int, float], read: Span, now: float, patience: Patience) -> Tally:
    """The tally after CloudWatch was asked for the minutes `read`.

    Counting the same answer again changes nothing, and answers may come in any order.

    Args:
        tally: before.
        sums: of the minutes that had datapoints.
        read: where it begins after `settled_until`, nothing is settled by it: what is between was not read.
        now: a moment before CloudWatch was asked.
        patience: how late CloudWatch may be.
    """
    countable = Span(tally.settled_until, min(read.end, minute_of(now - patience.delay)))
    pending = dict(tally.pending)
    for minute, value in sums.items():
        if minute in countable:
            # A sum only grows: a smaller one is an answer from behind.
            pending[minute] = max(pending.get(minute, 0), round(value * MILLIONTHS))
    settled_until = tally.settled_until
    if read.start <= settled_until:
        settled_until = max(settled_until, min(countable.end, minute_of(now - patience.convergence)))
    final = [minute for minute in pending if minute < settled_until]
    settled = tally.settled + sum(pending.pop(minute) for minute in final)
    newest = max(sums, default=None)
    if tally.newest is not None:
        newest = max(tally.newest, newest or 0)
    return replace(tally, settled_until=settled_until, settled=settled, pending=pending, newest=newest)
