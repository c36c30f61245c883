"""What counts of a window: without the time that is excluded, and with what the SLO counted under former names.

Entries and roll-ups themselves stay facts. What is excluded is left out when they are summed, by arithmetic on the
clock, so that an exclusion holds for the past as well, as soon as it is written, and gives back what it took when it is
removed.
"""

from collections.abc import Callable

from sereno_slo.conventions import LONGEST_SUM_OF_MINUTES
from sereno_slo.duration import FIVE_MINUTES, MINUTE, Duration
from sereno_slo.model import Journey, Objective, Settings
from sereno_slo.plan import clock, series
from sereno_slo.plan.rules import RecordingRule
from sereno_slo.plan.series import Ledger, summed
from sereno_slo.promql import Aggregation, Binary, Call, Expr, Number, Selector, String, Subquery, any_of

# What a step may hold, in seconds before and after its beginning. What happened is scraped within a minute and entered
# within another one: entries that are made in a minute hold what happened up to two minutes before it. Roll-ups that
# are made in five minutes hold what was entered from six minutes before them until four minutes later.
_HELD_SECONDS = {MINUTE: (120.0, 60.0), FIVE_MINUTES: (480.0, 240.0)}
# Journeys read, a minute late, what their steps recorded over five minutes.
_HELD_MORE_BY_JOURNEYS_SECONDS = 420.0


def held_seconds(slo: Objective, step: Duration) -> tuple[float, float]:
    """How much happened before and after a step's beginning that it may hold."""
    before, after = _HELD_SECONDS[step]
    return (before + _HELD_MORE_BY_JOURNEYS_SECONDS if isinstance(slo, Journey) else before), after


def summed_over(slo: Objective, ledger: Ledger, name: str, window: Duration, settings: Settings) -> Expr:
    """The sum of what counts of a series' entries within a rolling window."""
    step = MINUTE if window <= LONGEST_SUM_OF_MINUTES else FIVE_MINUTES

    counts = _counting(slo, step, settings)

    def of_name(entries: Selector) -> Expr:
        return summed(entries, window) if counts is None else _sum_of_steps(entries, counts, window, step)

    return _under_all_names(slo, ledger, name, of_name)


def summed_over_own(slo: Objective, ledger: Ledger, name: str, settings: Settings) -> Expr:
    """The same within the SLO's own window: rolling, or since the calendar's window began."""
    calendar = slo.calendar
    if calendar is None:
        return summed_over(slo, ledger, name, slo.window, settings)

    counts = _counting(slo, FIVE_MINUTES, settings)

    def of_name(entries: Selector) -> Expr:
        is_within = _is_within(ledger, entries, settings)
        mask = is_within if counts is None else is_within * counts
        return _sum_of_steps(entries, mask, calendar.longest, FIVE_MINUTES)

    return _under_all_names(slo, ledger, name, of_name)


def seen_minutes(slo: Objective, ledger: Ledger, settings: Settings) -> Expr:
    """Minutes of the SLO's own window that the ledger saw; of those excluded, all in which Prometheus was there."""
    seen = summed_over_own(slo, ledger, series.COVERAGE_ROLL_UP, settings)
    counts = _counting(slo, FIVE_MINUTES, settings)
    if counts is None:
        return seen

    def excluded(mark: Selector) -> Expr:
        mask = 1 - counts if slo.calendar is None else _is_within(ledger, mark, settings) * (1 - counts)
        return _sum_of_steps(mark, mask, slo.longest_window, FIVE_MINUTES)

    return seen + (FIVE_MINUTES / MINUTE) * _under_all_names(slo, ledger, series.ROLL_UP_MARK, excluded)


def passed_minutes(slo: Objective, ledger: Ledger) -> Expr:
    """Minutes of the SLO's own window until now."""
    if slo.calendar is None:
        return Number(slo.window / MINUTE)
    start = Call("scalar", (ledger.series(series.WINDOW_START),))
    return (Call("time") - start) / MINUTE.seconds


def _under_all_names(slo: Objective, ledger: Ledger, name: str, of_name: Callable[[Selector], Expr]) -> Expr:
    """The sum of what is counted under today's name and under those that the SLO had before."""
    if not slo.formerly:
        return of_name(ledger.series(name))
    found = (of_name(each.series(name)) for each in (ledger, *ledger.formerly(slo)))
    total: Expr = Aggregation("sum", any_of(*found), ledger.group_labels)
    # With today's labels, by which other series meet it.
    for label, value in ledger.labels.items():
        total = Call("label_replace", (total, String(label), String(value), String(""), String("")))
    return total


def _sum_of_steps(entries: Selector, mask: Expr, window: Duration, step: Duration) -> Call:
    """The sum of a window's entries, each times what the mask says of it.

    Each step looks at what is recorded until the next one, so that the newest entry, made right now, is in the last
    one. The range is a millisecond longer than the window: where it is evaluated at a step, which holds nothing yet,
    the one at the window's very beginning counts, and Prometheus 3.x leaves out what lies at the beginning of a range.
    """
    of_step = summed(_of_step(entries, step), step)
    return Call("sum_over_time", (Subquery(of_step * mask, Duration(window.milliseconds + 1), step),))


def _of_step(entries: Selector, step: Duration) -> Selector:
    return entries.ago(Duration(-step.milliseconds))


def _counting(slo: Objective, step: Duration, settings: Settings) -> Expr | None:
    """1 for steps that count, 0 for those that may hold something of excluded time; None if nothing is excluded."""
    delay = settings.evaluation_delay.seconds if settings.evaluation_delay else 0.0
    before, after = held_seconds(slo, step)
    return clock.counting(slo.exclusions, before_seconds=after - delay, after_seconds=before + delay)


def _is_within(ledger: Ledger, entries: Selector, settings: Settings) -> Expr:
    """1 for steps of the calendar window of now: the first begins five minutes after it, with what was entered since.

    The steps' times as a series, where `time()` would do: it has as many samples as there are roll-ups, not as there
    are steps, and promtool holds no more than 10,000 at once. `timestamp` of a selector instead of a sum is quadratic
    in the number of steps on Prometheus 2.42.
    """
    start = Call("scalar", (ledger.whole.series(series.WINDOW_START).at_end(),))
    of_step = summed(_of_step(entries, FIVE_MINUTES), FIVE_MINUTES)
    delay = settings.evaluation_delay.seconds if settings.evaluation_delay else 0.0
    return Call("timestamp", (of_step,)).holds(">", start + delay if delay else start)


def window_rules(slo: Objective, ledger: Ledger) -> tuple[RecordingRule, ...]:
    """When the calendar window of now began and when it ends; before everything that sums it."""
    if slo.calendar is None:
        return ()
    calendar = slo.calendar
    now, start, end = (ledger.series(name) for name in (series.WALL_CLOCK, series.WALL_AT_START, series.WALL_AT_END))
    return (
        ledger.record(series.WALL_CLOCK, Call("vector", (clock.wall_clock(calendar.timezone),))),
        ledger.record(series.WALL_AT_START, clock.window_start(calendar.unit, now)),
        ledger.record(series.WINDOW_START, clock.moment_of(start, calendar.timezone)),
        ledger.record(series.WALL_AT_END, clock.window_end(calendar.unit, start)),
        ledger.record(series.WINDOW_END, clock.moment_of(end, calendar.timezone)),
    )


BUDGETED_EVENTS = (series.EVENTS_PLANNED, "sereno:events:window")
"""The events that budgets are a part of: of calendar windows the first, which others don't have."""


def budgeted_events(slo: Objective, ledger: Ledger) -> Selector:
    """The events that the budget is a part of: those of the rolling window, or the calendar window's planned ones."""
    return ledger.series(BUDGETED_EVENTS[slo.calendar is None])


def excluded_now(slo: Objective, ledger: Ledger) -> tuple[RecordingRule, ...]:
    """1 while time doesn't count, 0 while it does; nothing for SLOs without exclusions."""
    counts = clock.counting(slo.exclusions)
    return () if counts is None else (ledger.record(series.EXCLUDED, Call("vector", (1 - counts,))),)


def unless_excluded(slo: Objective, expr: Expr, within: Duration) -> Expr:
    """The expression, but for an exclusion now or within a time before."""
    if not slo.exclusions:
        return expr
    was_excluded = Call("max_over_time", (Ledger.of(slo).series(series.EXCLUDED).over(within),)).equals(1)
    return Binary("unless", expr, was_excluded, on=())
