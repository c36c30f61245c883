"""How many events counters counted in the last minute (docs/ledger.md, "The entry").

Differences of last samples telescope: nothing is extrapolated, and a gap of up to `gap` is caught up by the first
entry after it. In every expression the order of the branches does the work: `or` takes a series from the first branch
that has it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from sereno_slo.duration import FIVE_MINUTES, MINUTE, Duration
from sereno_slo.model import (
    BadEventsRatio,
    GoodEventsRatio,
    Indicator,
    Latency,
    NativeLatency,
    Probe,
    Settings,
    Threshold,
)
from sereno_slo.promql import Aggregation, Call, Expr, Selector, any_of

GAP = Duration.parse("23m")
"""How far back the last sample before a minute is looked for.

20 minutes without Prometheus fit in, with scrapes and evaluations around them; a minute more reads two samples more of
each series.
"""

# Two starts so close are one: clients compute it from the kernel's boot time, which wobbles when clocks are corrected.
CLOCK_WOBBLE_SECONDS = 5
# Where a series that was away for longer than the gap is looked for: a little earlier than absences of round lengths.
_LONG_BEFORE = tuple(map(Duration.parse, ("1h10m", "6h10m", "1d10m")))


def target_of(selector: Selector, metric: str, identity_labels: tuple[str, ...]) -> Selector:
    """The series `metric` (`up`, process start) of the targets whose series `selector` reads."""
    return Selector(metric, tuple(m for m in selector.matchers if m.label in identity_labels))


@dataclass(frozen=True, slots=True)
class Raw:
    """Raw series as an entry reads them: `evaluation_delay` in the past, `gap` back at most."""

    settings: Settings
    gap: Duration = GAP

    def offsets(self) -> Iterator[Duration]:
        """Instant look-ups that together see all of the gap: each reads one sample, up to five minutes old."""
        offset = MINUTE
        while offset < self.gap:
            yield offset
            offset += FIVE_MINUTES

    def latest(self, series: Selector) -> Selector:
        """The series at the entry's end."""
        return self.earlier(series, None)

    def earlier(self, series: Selector, offset: Duration | None) -> Selector:
        """The series `offset` before the entry's end."""
        delay = self.settings.evaluation_delay
        return series.ago(offset if delay is None else delay if offset is None else delay + offset)

    @property
    def delay_seconds(self) -> float:
        """How far in the past the entry's end lies."""
        return 0 if self.settings.evaluation_delay is None else self.settings.evaluation_delay.seconds

    def minute(self, series: Selector) -> Selector:
        """The samples of the entry's minute."""
        return self.latest(series).over(MINUTE)

    def now(self, series: Selector) -> Call:
        """The last sample of the entry's minute."""
        return Call("last_over_time", (self.minute(series),))

    def before(self, series: Selector) -> Call:
        """The last sample before the entry's minute."""
        return Call("last_over_time", (self.earlier(series, MINUTE).over(self.gap),))

    def target(self, series: Selector, metric: str) -> Selector:
        """What the targets of `series` say of themselves."""
        return self.latest(target_of(series, metric, self.settings.identity_labels))


@dataclass(frozen=True, slots=True)
class Counters:
    """What an indicator counts: all events, and a part of them."""

    total: Selector
    part: Selector
    part_is_bad: bool


def counters_of(indicator: Indicator) -> Counters | None:
    """The counters of an indicator; none of time slices and native histograms, whose parts aren't differences."""
    match indicator:
        case BadEventsRatio(total=total, bad=bad):
            return Counters(total, bad, part_is_bad=True)
        case GoodEventsRatio(total=total, good=good):
            return Counters(total, good, part_is_bad=False)
        case Latency(total=total, fast=fast):
            return Counters(total, fast, part_is_bad=False)
        case NativeLatency() | Threshold() | Probe():
            return None
        case _:
            assert_never(indicator)


def counted(counter: Selector, raw: Raw, by: tuple[str, ...] = ()) -> Expr:
    """How many events a counter counted in the entry's minute, over all its series or by labels."""
    now, before = raw.now(counter), raw.before(counter)
    grown = now - (before <= now)
    return Aggregation("sum", any_of(*begun(now, counter, raw), grown, *appeared(now, counter, raw)), by)


def begun(counts: Expr, series: Selector, raw: Raw) -> Iterator[Expr]:
    """`counts` in full for what began with a process of the last minutes: its samples before are another's.

    Values alone don't tell: a service that fails once in each of its lives counts 1, and then 1 again. A process that
    is discovered late counts in full, too: pods are often discovered minutes after their start.
    """
    if raw.settings.process_start_metric is None:
        return
    start = raw.target(series, raw.settings.process_start_metric)
    reach_seconds = (raw.gap + MINUTE * 2).seconds + raw.delay_seconds
    # The last sample of the minute can be the old process's, followed by a marker: `series` itself has ended then.
    alive = counts.and_(raw.latest(series))
    young = alive.and_(start > Call("time") - reach_seconds, on=raw.settings.identity_labels)
    seen = (_seen_in_same_process(series, offset, raw) for offset in raw.offsets())
    fresh = young.unless(any_of(*seen))
    yield fresh.unless(_unseen_for_a_while(start, raw), on=raw.settings.identity_labels)


def _unseen_for_a_while(start: Selector, raw: Raw) -> Expr:
    """Targets that didn't answer a minute ago, but did before, in the process that they are now."""
    same = (start - raw.before(start)) <= CLOCK_WOBBLE_SECONDS
    return same.unless(raw.earlier(start, MINUTE))


def appeared(counts: Expr, series: Selector, raw: Raw) -> Iterator[Expr]:
    """What `counts` means where there was no smaller sample before."""
    # It went down within the same process, or no metric tells of processes: a reset, counts from zero.
    yield counts.and_(raw.earlier(series, MINUTE))
    if raw.settings.process_start_metric is not None:
        # It was away for long and kept its count: what it counted meanwhile isn't known, so it is none.
        yield 0 * counts.and_(any_of(*(_seen_in_same_process(series, offset, raw) for offset in _LONG_BEFORE)))
    # Born within a target that was already watched: all of it happened now. A target that has just been discovered may
    # hold last year's counts.
    up = raw.earlier(raw.target(series, "up"), MINUTE).over(raw.gap)
    yield counts.and_(Call("max_over_time", (up,)).equals(1), on=raw.settings.identity_labels)


def _seen_in_same_process(series: Selector, offset: Duration, raw: Raw) -> Expr:
    start = raw.target(series, raw.settings.process_start_metric or "")
    same = (start - raw.earlier(start, offset)) <= CLOCK_WOBBLE_SECONDS
    return raw.earlier(series, offset).and_(same, on=raw.settings.identity_labels)
