"""How many events counters counted in the last minute (docs/ledger.md, "The entry").

Differences of last samples telescope: nothing is extrapolated, and a gap of up to `gap` is caught up by the first
entry after it. In every expression the order of the branches does the work: `or` takes a series from the first branch
that has it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sereno_slo.duration import Duration
from sereno_slo.model import Settings
from sereno_slo.plan.series import MINUTE
from sereno_slo.promql import Aggregation, Call, Expr, Selector, any_of

GAP = Duration.parse("25m")
"""How far back the last sample before a minute is looked for: 20 minutes without Prometheus, and a start, fit in."""

# A process younger than this whose series appear is new, and all that it counted happened now. Discovery may take
# minutes: a bound of 60 s missed pods that were discovered two minutes after their start.
_YOUNG_PROCESS_SECONDS = 900
# Clients compute the start from the kernel's boot time, which wobbles by a second when the clock is corrected.
_CLOCK_WOBBLE_SECONDS = 5
# Where a series that went down is looked for; instant look-ups, which read one sample each.
_JUST_BEFORE = tuple(map(Duration.parse, ("1m", "10m")))
# Where a series that was away for longer than the gap is looked for.
_LONG_BEFORE = tuple(map(Duration.parse, ("1h", "6h", "1d")))


def target_of(selector: Selector, metric: str, identity_labels: tuple[str, ...]) -> Selector:
    """The series `metric` (`up`, process start) of the targets whose series `selector` reads."""
    return Selector(metric, tuple(m for m in selector.matchers if m.label in identity_labels))


@dataclass(frozen=True, slots=True)
class Raw:
    """Raw series as an entry reads them: `evaluation_delay` in the past, `gap` back at most."""

    settings: Settings
    gap: Duration = GAP

    def latest(self, series: Selector) -> Selector:
        """The series at the entry's end."""
        return self.earlier(series, None)

    def earlier(self, series: Selector, offset: Duration | None) -> Selector:
        """The series `offset` before the entry's end."""
        delay = self.settings.evaluation_delay
        return series.ago(offset if delay is None else delay if offset is None else delay + offset)

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


def counted(counter: Selector, raw: Raw, by: tuple[str, ...] = ()) -> Expr:
    """How many events a counter counted in the entry's minute, over all its series or by labels."""
    now, before = raw.now(counter), raw.before(counter)
    grown = now - (before <= now)
    return Aggregation("sum", any_of(*restarted(now, counter, raw), grown, *appeared(now, counter, raw)), by)


def restarted(counts: Expr, series: Selector, raw: Raw) -> Iterator[Expr]:
    """`counts` in full where the process began after the last sample before: its counters began at zero.

    Values alone don't tell: a service that fails once in each of its lives counts 1, and then 1 again.
    """
    if raw.settings.process_start_metric is None:
        return
    start = raw.target(series, raw.settings.process_start_metric)
    oldest_seconds = (raw.gap + MINUTE * 2 + (raw.settings.evaluation_delay or Duration(0))).seconds
    began = (start > Call("time") - oldest_seconds) - raw.before(start)
    yield _on_targets(counts, began > _CLOCK_WOBBLE_SECONDS, raw)


def appeared(counts: Expr, series: Selector, raw: Raw) -> Iterator[Expr]:
    """What `counts` means where there was no smaller sample before."""
    # It went down within the same process, or no metric tells of processes: a reset, counts from zero.
    yield counts.and_(any_of(*(raw.earlier(series, offset) for offset in _JUST_BEFORE)))
    if raw.settings.process_start_metric is not None:
        # It was away for long and kept its count: what it counted meanwhile isn't known, so it is none.
        yield 0 * counts.and_(any_of(*(_seen_in_same_process(series, offset, raw) for offset in _LONG_BEFORE)))
    # Born, within a target that was already watched or in a young process: all of it happened now.
    yield _on_targets(counts, _may_bear(series, raw), raw)


def _seen_in_same_process(series: Selector, offset: Duration, raw: Raw) -> Expr:
    start = raw.target(series, raw.settings.process_start_metric or "")
    same = start.equals(raw.earlier(start, offset))
    return raw.earlier(series, offset).and_(same, on=raw.settings.identity_labels)


def _may_bear(series: Selector, raw: Raw) -> Expr:
    """Targets whose new series are new: a target that has just been discovered may hold last year's counts."""
    up = raw.earlier(raw.target(series, "up"), MINUTE).over(raw.gap)
    watched = Call("max_over_time", (up,)).equals(1)
    if raw.settings.process_start_metric is None:
        return watched
    start = raw.target(series, raw.settings.process_start_metric)
    delay = raw.settings.evaluation_delay or Duration(0)
    return watched.or_((Call("time") - start) < _YOUNG_PROCESS_SECONDS + delay.seconds)


def _on_targets(counts: Expr, targets: Expr, raw: Raw) -> Expr:
    return counts.and_(targets, on=raw.settings.identity_labels)
