"""What dashboards, runbooks and postmortems ask of Prometheus about one SLO; every expression is a tree.

Figures that a group of five minutes records are read through ten minutes (`patient`), so that one late evaluation
shows no gap.
"""

from typing import assert_never

from sereno_slo.duration import Duration
from sereno_slo.model import (
    BadEventsRatio,
    CountedIndicator,
    GoodEventsRatio,
    Indicator,
    Latency,
    NativeLatency,
    Objective,
    Probe,
    Settings,
    Threshold,
)
from sereno_slo.plan import series
from sereno_slo.plan.counting import target_of
from sereno_slo.plan.series import SLO_LABELS, Ledger, patient, summed
from sereno_slo.plan.spenders import out_of_bounds
from sereno_slo.plan.windows import BUDGETED_EVENTS, budgeted_events
from sereno_slo.promql import Aggregation, Binary, Call, Expr, Number, Selector, any_of

_NEXT_TO_NOTHING = 1e-6
# Ten years: what takes so long to be spent is as good as never.
NEVER_SECONDS = 315_360_000
AnyLatency = Latency | NativeLatency


def own_window(ledger: Ledger, subject: str) -> Expr:
    """`events`, `bad_events` or `error_ratio` over the SLO's own window."""
    return patient(ledger.series(f"sereno:{subject}:window"))


def budget_remaining(ledger: Ledger) -> Expr:
    """1 untouched, 0 spent, below 0 overspent."""
    return patient(ledger.series(series.BUDGET_REMAINING))


def coverage(ledger: Ledger) -> Expr:
    """The part of the window that the ledger really saw."""
    return patient(ledger.series(series.COVERAGE))


def service_level(ledger: Ledger) -> Expr:
    """The part of the window's events that was good, to be compared with the objective."""
    return 1 - own_window(ledger, "error_ratio")


def bad_events_left(ledger: Ledger, slo: Objective) -> Expr:
    """How many more events may be bad at the traffic of the window; negative when overspent."""
    return budget_remaining(ledger) * (slo.error_budget_ratio * patient(budgeted_events(slo, ledger)))


def burn_rate(ledger: Ledger, slo: Objective, window: Duration) -> Expr:
    """How many times as fast as the objective allows: at 1 the budget is gone exactly at the end of the window."""
    return ledger.figure("error_ratio", window) / slo.error_budget_ratio


def seconds_until_spent(ledger: Ledger, slo: Objective, window: Duration) -> Expr:
    """When the budget is gone if `window` goes on for ever; `far_away` at most, and 0 where it is overspent."""
    left = Call("clamp_min", (budget_remaining(ledger), Number(0)))
    # A burn rate of 0 would make +Inf, or NaN where nothing is left.
    burning = Call("clamp_min", (burn_rate(ledger, slo, window), Number(_NEXT_TO_NOTHING)))
    return Call("clamp_max", ((left * slo.window.seconds) / burning, Number(far_away(slo).seconds)))


def gone_in_seconds(recorded: Expr, remaining: Expr) -> Expr:
    """When a budget is spent, as recorded; where nothing is, 0 for what is overspent and else `NEVER_SECONDS`."""
    known = Call("clamp_max", (recorded, Number(NEVER_SECONDS)))
    return any_of(known, 0 * (remaining <= 0), (0 * (remaining > 0)) + NEVER_SECONDS)


def remaining_after(ledger: Ledger, slo: Objective, ahead: Duration, pace: Duration) -> Expr:
    """What is left of the budget after `ahead` if it goes on as over `pace`; nothing of what recovers meanwhile."""
    left = budget_remaining(ledger) - burn_rate(ledger, slo, pace) * (ahead / slo.window)
    return if_seen_ago(left, ledger, pace)


def if_seen_ago(expr: Expr, ledger: Ledger, window: Duration) -> Expr:
    """The expression if the ledger was there `window` ago: a young one's figures of it are those of its first hours."""
    return expr.and_(patient(ledger.whole.series(series.ROLL_UP_MARK).ago(window)), on=SLO_LABELS)


def far_away(slo: Objective) -> Duration:
    """Ten windows: what takes so long to be spent is as good as never."""
    return slo.window * 10


def counted(function: str, counter: Selector, window: Duration, by: tuple[str, ...] = ()) -> Expr:
    """`sum by (…) (rate(counter[window]))`, or `increase` instead of `rate`."""
    return Aggregation("sum", Call(function, (counter.over(window),)), by)


def events_counted(function: str, indicator: CountedIndicator, window: Duration, by: tuple[str, ...] = ()) -> Expr:
    """The same for all events of an indicator, however they are counted."""
    found = counted(function, indicator.total, window, by)
    return Call("histogram_count", (found,)) if isinstance(indicator, NativeLatency) else found


def bad_counted(function: str, indicator: CountedIndicator, window: Duration, by: tuple[str, ...] = ()) -> Expr:
    """The same for bad events; zero where there is traffic but no series of errors yet."""
    total = events_counted(function, indicator, window, by)
    match indicator:
        case BadEventsRatio(bad=bad):
            return counted(function, bad, window, by).or_(0 * total)
        case GoodEventsRatio(good=good):
            return total - counted(function, good, window, by).or_(0 * total)
        case Latency(fast=fast):
            return total - counted(function, fast, window, by)
        case NativeLatency(histogram=histogram, threshold_seconds=threshold):
            within = (Number(0), Number(threshold), counted(function, histogram, window, by))
            # The fraction of no events is NaN, which `>= 0` drops.
            return (total * (1 - Call("histogram_fraction", within))) >= 0
        case _:
            assert_never(indicator)


def bad_share(indicator: CountedIndicator, window: Duration, by: tuple[str, ...] = ()) -> Expr:
    """The part of the events that is bad, from the raw series; no value without traffic."""
    return bad_counted("rate", indicator, window, by) / (events_counted("rate", indicator, window, by) > 0)


def worst(limit: int, indicator: Indicator, function: str, window: Duration, by: tuple[str, ...]) -> Expr:
    """The `limit` groups with the most bad events (of time slices: the most bad series), those without any left out."""
    match indicator:
        case BadEventsRatio(bad=bad):
            bad_events = counted(function, bad, window, by)  # what has no series of errors has no errors
        case GoodEventsRatio() | Latency() | NativeLatency():
            bad_events = bad_counted(function, indicator, window, by)
        case Threshold() | Probe():
            broken = out_of_bounds(indicator, indicator.gauge.over(window))
            return Call("topk", (Number(limit), Aggregation("count", broken, by)))
        case _:
            assert_never(indicator)
    return Call("topk", (Number(limit), bad_events > 0))


def buckets(indicator: Latency, window: Duration, by: tuple[str, ...] = ()) -> Expr:
    """Events per second up to each bound of the histogram."""
    return counted("rate", Selector(f"{indicator.metric}_bucket", indicator.total.matchers), window, ("le", *by))


def quantile(indicator: AnyLatency, ratio: float, window: Duration, by: tuple[str, ...] = ()) -> Expr:
    """The duration in seconds that `ratio` of the events stayed below, estimated within the bucket it falls into."""
    match indicator:
        case Latency():
            found = buckets(indicator, window, by)
        case NativeLatency(histogram=histogram):
            found = counted("rate", histogram, window, by)
        case _:
            assert_never(indicator)
    return Call("histogram_quantile", (Number(ratio), found))


def slowest(limit: int, indicator: AnyLatency, window: Duration, by: tuple[str, ...]) -> Expr:
    """The `limit` groups with the longest P99, in seconds."""
    return Call("topk", (Number(limit), quantile(indicator, 0.99, window, by)))


def groups_left_out(ledger: Ledger) -> Expr:
    """How many groups have no budget of their own, because there are more than the limit."""
    return patient(ledger.series(series.GROUPS_LEFT_OUT))


def started_within(indicator: Indicator, settings: Settings, window: Duration) -> Expr | None:
    """Ages in seconds of the processes that are younger than `window`; None where no metric tells their start."""
    if settings.process_start_metric is None:
        return None
    age = Call("time") - target_of(indicator.total, settings.process_start_metric, settings.identity_labels)
    return age < window.seconds


def targets_down(indicator: Indicator, settings: Settings) -> Expr:
    """The targets that didn't answer their last scrape."""
    return target_of(indicator.total, "up", settings.identity_labels).equals(0)


def measured_over(metric: str, window: Duration) -> Expr:
    """The sum of minute entries over a window for every SLO; a millisecond less keeps it exact on any Prometheus."""
    return Aggregation("sum", summed(Selector(metric), window), ("service", "slo"))


def budget_spent_over(window: Duration) -> Expr:
    """The part of the budget that a window spent, for every SLO: bad events over those that its own window allows."""
    labels = ("service", "slo")
    allowed = Binary(
        "*",
        1 - Aggregation("max", Selector(series.OBJECTIVE), labels),
        any_of(*(Aggregation("max", patient(Selector(name)), labels) for name in BUDGETED_EVENTS)),
    )
    return measured_over(series.BAD_EVENTS_ENTRY, window) / (allowed > 0)
