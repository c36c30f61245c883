"""The error budget, counted: roll-ups of minute entries, windows, and the figures made of them (docs/ledger.md)."""

from collections.abc import Iterator

from sereno_slo.conventions import LONGEST_SUM_OF_MINUTES, MOST_OF_MEDIAN, MOST_OF_RECENT
from sereno_slo.duration import FIVE_MINUTES, MINUTE, Duration
from sereno_slo.model import Objective, ServiceLevelObjective, Settings
from sereno_slo.plan import series, windows
from sereno_slo.plan.entries import may_be_negative
from sereno_slo.plan.rules import RecordingRule
from sereno_slo.plan.series import SLO_LABELS, Ledger, patient, side_by_side, summed, windows_of
from sereno_slo.promql import Aggregation, Binary, Call, Expr, Number, Selector, Subquery, any_of

# A roll-up sums what has happened since the last one, up to so many slots of five minutes ago.
_MOST_SLOTS = 6
_HOUR = Duration.parse("1h")
_DAY = Duration.parse("1d")
_USUAL_DAYS = Duration.parse("7d")
_HALF_A_SLOT = Duration.parse("2m30s")


def minute_windows(slo: Objective, ledger: Ledger, settings: Settings) -> tuple[RecordingRule, ...]:
    """Counts and error ratios over the windows that minute entries serve."""

    def summed_over(name: str, window: Duration) -> Expr:
        return windows.summed_over(slo, ledger, name, window, settings)

    return tuple(
        rule
        for window in windows_of(slo)
        if window <= LONGEST_SUM_OF_MINUTES
        for rule in _counts(
            slo,
            ledger,
            str(window),
            summed_over(series.EVENTS_ENTRY, window),
            summed_over(series.BAD_EVENTS_ENTRY, window),
        )
    )


def long_windows(slo: Objective, ledger: Ledger, settings: Settings) -> tuple[RecordingRule, ...]:
    """Roll-ups, and counts and error ratios over the windows that they serve, the SLO's own among them."""

    def summed_over(name: str, window: Duration) -> Expr:
        return windows.summed_over(slo, ledger, name, window, settings)

    def summed_over_own(name: str) -> Expr:
        return windows.summed_over_own(slo, ledger, name, settings)

    usual_windows = (
        rule
        for window in windows_of(slo)
        if window > LONGEST_SUM_OF_MINUTES
        for rule in _counts(
            slo,
            ledger,
            str(window),
            summed_over(series.EVENTS_ROLL_UP, window),
            summed_over(series.BAD_EVENTS_ROLL_UP, window),
        )
    )
    # The SLO's own window is called `window` whatever its length, so that queries need no table of lengths.
    own = _counts(
        slo,
        ledger,
        "window",
        summed_over_own(series.EVENTS_ROLL_UP),
        summed_over_own(series.BAD_EVENTS_ROLL_UP),
    )
    remaining = (_budget_remaining(slo, ledger),) if slo.calendar is None else ()
    return (*_roll_ups(ledger), *usual_windows, *own, *remaining)


def evaluation_mark(ledger: Ledger) -> RecordingRule:
    """The group of five minutes was evaluated: what the next roll-ups look for. It stands before them."""
    return ledger.record(series.ROLL_UP_MARK, Call("vector", (Number(1),)))


def _roll_ups(ledger: Ledger) -> tuple[RecordingRule, ...]:
    events, mark = ledger.series(series.EVENTS_ROLL_UP), ledger.whole.series(series.ROLL_UP_MARK)
    of_events = _with_missed(ledger, series.EVENTS_ENTRY, series.EVENTS_MISSED, mark)
    of_bad_events = _with_missed(ledger, series.BAD_EVENTS_ENTRY, series.BAD_EVENTS_MISSED, mark)
    if not ledger.group_labels:
        # Five minutes without any entry had no events: scaled to zero, or nothing has ever happened.
        of_events = of_events.or_(0 * mark)
    return (
        ledger.record(series.EVENTS_ROLL_UP, of_events),
        # Where there are events, but no bad entries, nobody knows; where there are none, none was bad.
        ledger.record(series.BAD_EVENTS_ROLL_UP, of_bad_events.or_(events.equals(0))),
    )


def _entered(entries: Selector, time: Duration) -> Expr:
    """The sum of a stretch of entries that ended a minute ago.

    The two groups are evaluated at once. Where their phases lie close, a roll-up would miss the entry that is being
    made while it sums, and the next one would begin after it: every fifth entry would be lost for good.
    """
    return summed(entries.ago(MINUTE), time)


def _with_missed(ledger: Ledger, entries: str, missed: str, mark: Selector) -> Expr:
    """Entries and what they missed, which is recorded once, soon after an outage: in these five minutes."""
    found = _entered(ledger.series(missed), FIVE_MINUTES)
    return Aggregation(
        "sum",
        any_of(_since_last_roll_up(ledger.series(entries), mark), found),
        (*SLO_LABELS, *ledger.group_labels),
    )


def coverage(slo: Objective, ledger: Ledger, settings: Settings) -> tuple[RecordingRule, ...]:
    """How much of the window the ledger saw: of the part that has passed, and that counts."""
    entries, mark = ledger.series(series.COVERAGE_ENTRY), ledger.series(series.ROLL_UP_MARK)
    seen, passed = windows.seen_minutes(slo, ledger, settings), windows.passed_minutes(slo, ledger)
    return (
        ledger.record(series.COVERAGE_ROLL_UP, _since_last_roll_up(entries, mark)),
        ledger.record(series.COVERAGE, seen / passed),
    )


def expected_events(slo: Objective, ledger: Ledger) -> RecordingRule:
    """`A` of docs/ledger.md: the usual events per five minutes, from the whole days of the last week.

    Their average, but at most a fifth above their median: a day of bots, or of a launch, is not what is usual,
    and after a change that stays (a launch, traffic that was split) the week has forgotten the past. A service that
    rests on most days has a median of none; its average stands. At most twice what the last day or the last hour had,
    either: traffic that has moved away leaves no budget that others could spend unnoticed. Every midnight's `1d` is one
    sample. Days that began before the ledger did are left out, and its first day expects what it has seen: a young SLO
    expects no zeros.
    """
    day, mark = ledger.series("sereno:events:1d"), ledger.whole.series(series.ROLL_UP_MARK)
    week = min(_USUAL_DAYS, slo.window)
    whole_days = Subquery(day.and_(mark.ago(_DAY), on=SLO_LABELS), week, _DAY)
    average, median = Call("avg_over_time", (whole_days,)), Call("quantile_over_time", (Number(0.5), whole_days))
    a_day = _DAY / FIVE_MINUTES
    last_day = Call("avg_over_time", (ledger.series(series.EVENTS_ROLL_UP).over(_DAY.just_under()),))
    last_hour = ledger.events(_HOUR) / (_HOUR / FIVE_MINUTES)
    candidates = {
        "average": average / a_day,
        "median": ((MOST_OF_MEDIAN / a_day) * median) > 0,
        "recent": MOST_OF_RECENT * any_of(last_hour > last_day, last_day),
    }
    least = Aggregation("min", side_by_side(candidates, "of"), (*SLO_LABELS, *ledger.group_labels))
    return ledger.record(series.EXPECTED_EVENTS, any_of(least.and_(average), last_day))


def exhausted_in(slo: Objective, ledger: Ledger) -> RecordingRule:
    """In how many seconds the budget is gone if the last day's failures go on; 0 where it is, nothing if none did."""
    is_gone = 0 * (ledger.series(series.BUDGET_REMAINING) <= 0)
    return ledger.record(series.EXHAUSTED_IN, exhausted_at_pace(slo, _DAY, ledger).or_(is_gone))


def _since_last_roll_up(entries: Selector, mark: Selector) -> Expr:
    """The entries of the last five minutes, or of as many more as no roll-up has summed yet.

    A server that stops loses the entries between its last roll-up and its end for every longer window, unless the first
    roll-up after it sums them. Evaluations keep their phase over restarts, so
    the mark of the one before lies a multiple of five minutes ago; half a slot of tolerance forgives a new phase.
    """

    def marked(most_slots: int, least_slots: int = 1) -> Expr:
        then = mark.over(FIVE_MINUTES * (most_slots + 1 - least_slots))
        return Call("present_over_time", (then.ago(FIVE_MINUTES * (least_slots - 1) + _HALF_A_SLOT),))

    def after(slots: int) -> Expr:
        """The entries since a mark that lies so many slots ago, unless there is a later one."""
        unsummed = _entered(entries, FIVE_MINUTES * slots).and_(marked(slots, slots), on=SLO_LABELS)
        return unsummed if slots == 1 else unsummed.unless(marked(slots - 1), on=SLO_LABELS)

    all_of_them = _entered(entries, FIVE_MINUTES * _MOST_SLOTS).unless(marked(_MOST_SLOTS - 1), on=SLO_LABELS)
    return any_of(*map(after, range(1, _MOST_SLOTS)), all_of_them)


def _budget_remaining(slo: Objective, ledger: Ledger) -> RecordingRule:
    error_ratio = ledger.series("sereno:error_ratio:window")
    return ledger.record(series.BUDGET_REMAINING, 1 - error_ratio / slo.error_budget_ratio)


def calendar_budget(slo: Objective, ledger: Ledger) -> tuple[RecordingRule, ...]:
    """What is left of a calendar window's budget, which is a part of the whole window's events; after what is usual.

    On the first morning of a month a failure is a small part of the month, not a large one of the morning. Events to
    come are as many as usual; at the end of the window all of them were counted.
    """
    if slo.calendar is None:
        return ()
    now, end = Call("time"), Call("scalar", (ledger.whole.series(series.WINDOW_END),))
    to_come = ledger.series(series.EXPECTED_EVENTS) * ((end - now) / FIVE_MINUTES.seconds)
    counted, planned = ledger.series("sereno:events:window"), ledger.series(series.EVENTS_PLANNED)
    error_ratio = _ratio(planned, ledger.series("sereno:bad_events:window"))
    return (
        ledger.record(series.EVENTS_PLANNED, any_of(counted + to_come, counted)),
        ledger.record(series.BUDGET_REMAINING, 1 - error_ratio / slo.error_budget_ratio),
    )


def remaining_to_the_minute(slo: Objective, ledger: Ledger | None = None) -> Expr:
    """The remaining budget, counted from minute entries: exact now, where the recorded one is up to five minutes old.

    It reads the whole window (43,200 entries twice for 30 days): for pages and for people, not for every minute. Where
    not every minute of it counts, the recorded one has to do.
    """
    ledger = ledger or Ledger.of(slo)
    if slo.exclusions or slo.calendar is not None or slo.formerly:
        return patient(ledger.series(series.BUDGET_REMAINING))
    bad_events = summed(ledger.series(series.BAD_EVENTS_ENTRY), slo.window)
    events = summed(ledger.series(series.EVENTS_ENTRY), slo.window)
    return 1 - bad_events / (events > 0) / slo.error_budget_ratio


def exhausted_at_pace(slo: Objective, window: Duration, ledger: Ledger) -> Expr:
    """In how many seconds the budget is gone if the failures of `window` go on; no value where it is gone or none fail.

    What leaves the SLO's window meanwhile, and would give budget back, isn't counted: it can only take longer.
    """
    left = patient(ledger.series(series.BUDGET_REMAINING)) > 0
    allowed = slo.error_budget_ratio * patient(windows.budgeted_events(slo, ledger))
    return left * allowed / (ledger.bad_events(window) > 0) * window.seconds


def _counts(
    slo: Objective, ledger: Ledger, name: str, events_sum: Expr, bad_events_sum: Expr
) -> Iterator[RecordingRule]:
    """Events, bad events and error ratio of one window."""
    events, bad_events = f"sereno:events:{name}", f"sereno:bad_events:{name}"
    # Good counted later than total is too few bad events now and too many before: no window has less than none.
    not_negative = Call("clamp_min", (bad_events_sum, Number(0)))
    yield ledger.record(events, events_sum)
    yield ledger.record(bad_events, not_negative if _may_be_negative(slo) else bad_events_sum)
    yield ledger.record(f"sereno:error_ratio:{name}", _ratio(ledger.series(events), ledger.series(bad_events)))


def _may_be_negative(slo: Objective) -> bool:
    return isinstance(slo, ServiceLevelObjective) and may_be_negative(slo.indicator)


def _ratio(events: Selector, bad_events: Selector) -> Binary:
    """Idle is an error ratio of 0: 0/0 would be NaN, which poisons every average over it."""
    return (bad_events / (events > 0)).or_(0 * bad_events)


def facts(slo: Objective) -> tuple[RecordingRule, ...]:
    """What the spec says, as series for joins and dashboards; owner and tier stay off the ledger's own labels."""
    ledger = Ledger.of(slo)

    def fact(name: str, value: float, **labels: str) -> RecordingRule:
        return RecordingRule(name, Call("vector", (Number(value),)), ledger.labels | labels)

    return (
        fact(series.INFO, 1, owner=slo.owner, tier=str(slo.tier)),
        fact(series.OBJECTIVE, slo.objective_ratio),
        _window_length(slo, ledger),
    )


def _window_length(slo: Objective, ledger: Ledger) -> RecordingRule:
    if slo.calendar is None:
        return ledger.record(series.WINDOW, Call("vector", (Number(slo.window.seconds),)))
    start, end = (patient(ledger.series(name)) for name in (series.WINDOW_START, series.WINDOW_END))
    return ledger.record(series.WINDOW, end - start)
