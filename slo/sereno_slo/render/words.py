"""Objectives, windows and humans' own words as readers of dashboards and runbooks need them."""

from fractions import Fraction
from typing import assert_never

from sereno_slo.duration import Duration
from sereno_slo.model import (
    BadEventsRatio,
    GoodEventsRatio,
    Indicator,
    Latency,
    NativeLatency,
    Objective,
    Probe,
    Threshold,
)

_DAY = Duration.parse("1d")


def percent(value: float) -> str:
    """`99.9 %`: no binary rounding, no trailing zeros."""
    return f"{value:.10g} %"


def objective_in_words(slo: Objective) -> str:
    """`of 1,000 events at most 1 may be bad`, which nobody has to calculate at 3 a.m."""
    budget = 1 - Fraction(f"{slo.objective_percent:.10g}") / 100
    counted = "minutes" if slo.is_sliced else "events"
    return f"of {budget.denominator:,} {counted} at most {budget.numerator:,} may be bad"


def window_in_words(window: Duration) -> str:
    """`30 days`; what is no whole number of days stays as Prometheus writes it."""
    days, rest = divmod(window.milliseconds, _DAY.milliseconds)
    if rest or not days:
        return str(window)
    return "1 day" if days == 1 else f"{days} days"


def own_window_in_words(slo: Objective) -> str:
    """`30 days`, or `a calendar month (America/Bogota)`."""
    if slo.calendar is None:
        return window_in_words(slo.window)
    return f"a calendar {slo.calendar.unit} ({slo.calendar.timezone})"


def current_window_in_words(slo: Objective) -> str:
    """`the last 30 days`, or `this calendar month`."""
    return f"the last {window_in_words(slo.window)}" if slo.calendar is None else f"this calendar {slo.calendar.unit}"


def exclusions_in_words(slo: Objective) -> str:
    """` Not counted: sundays 02:00 to 03:00 UTC (weekly rebuild, sre-team).`, or nothing."""
    if not slo.exclusions:
        return ""
    each = (f"{one.in_words} ({one_line(one.reason)}, {one_line(one.author)})" for one in slo.exclusions)
    return f" Not counted: {'; '.join(each)}."


def bad_event_in_words(indicator: Indicator) -> str:
    """What makes an event bad, from the indicator alone."""
    match indicator:
        case BadEventsRatio(bad=bad):
            return f"it is counted by `{bad}`"
        case GoodEventsRatio(good=good):
            return f"it is not counted by `{good}`"
        case Latency(threshold_seconds=threshold_seconds) | NativeLatency(threshold_seconds=threshold_seconds):
            return f"it took longer than {threshold_seconds:g} s"
        case Threshold(gauge=gauge):
            return f"it is a minute in which `{gauge}` was {out_of_bounds_in_words(indicator)}"
        case Probe(gauge=gauge):
            return f"it is a minute in which `{gauge}` was 0"
        case _:
            assert_never(indicator)


def out_of_bounds_in_words(threshold: Threshold) -> str:
    """`above 900`, `below 3`, or both."""
    above = [] if threshold.maximum is None else [f"above {threshold.maximum:.15g}"]
    below = [] if threshold.minimum is None else [f"below {threshold.minimum:.15g}"]
    return " or ".join((*above, *below))


def one_line(words: str) -> str:
    """A human's words without line breaks: they stand in titles, lists and tables."""
    return " ".join(words.split())


def table_cell(words: object) -> str:
    """The same inside a Markdown table, whose columns a bare `|` would shift."""
    return one_line(str(words)).replace("|", "\\|")


def sentence(words: str) -> str:
    """The same as a sentence: it ends with a full stop."""
    line = one_line(words)
    return line if line.endswith((".", "!", "?", "…")) or not line else f"{line}."
