"""Who spends the budget: bad events of a window by the values of a label, counted when an alert fires.

From raw series, since only they have all labels. What is born within the window counts in full, as in the ledger:
`increase()` doesn't see the first value of an error series, which is born with its errors.
"""

from typing import assert_never

from sereno_slo.conventions import HTTP_DURATION_METRIC
from sereno_slo.duration import Duration
from sereno_slo.model import (
    BadEventsRatio,
    GoodEventsRatio,
    Indicator,
    Latency,
    NativeLatency,
    Probe,
    ServiceLevelObjective,
    Settings,
    Threshold,
    TimeSlices,
)
from sereno_slo.plan.counting import Raw
from sereno_slo.promql import Aggregation, Call, Expr, MatchOp, Number, Selector, any_of

HTTP_METRICS = tuple(f"{HTTP_DURATION_METRIC}{ending}" for ending in ("_count", "_bucket", ""))
_HTTP_LABELS = ("http_route", "http_request_method", "http_response_status_code")
_TOP = 3


def breakdown_labels(indicator: Indicator, settings: Settings) -> tuple[str, ...]:
    """The labels that tell what fails: route, method and status of HTTP calls, else the target."""
    return _HTTP_LABELS if indicator.total.metric in HTTP_METRICS else settings.identity_labels


def spending_labels(slo: ServiceLevelObjective, settings: Settings) -> tuple[str, ...]:
    """What a page breaks the failures down by: the groups or else the routes, and the target where it isn't fixed."""
    fixed = {matcher.label for matcher in slo.indicator.total.matchers if matcher.op is MatchOp.EQUAL}
    of_events = slo.group_by.labels if slo.group_by else breakdown_labels(slo.indicator, settings)[:1]
    target = settings.identity_labels[-1]
    return tuple(label for label in dict.fromkeys((*of_events, target)) if label not in fixed)


def top_spenders(slo: ServiceLevelObjective, window: Duration, label: str, settings: Settings) -> Expr | None:
    """The three values of the label with the most bad events, or most bad series of time slices; None if unknown."""
    found = _bad_events(slo.indicator, window, (label,), Raw(settings))
    return None if found is None else Call("sort_desc", (Call("topk", (Number(_TOP), found > 0)),))


def _bad_events(indicator: Indicator, window: Duration, by: tuple[str, ...], raw: Raw) -> Expr | None:
    match indicator:
        case BadEventsRatio(bad=bad):
            return _grown(bad, window, by, raw)
        case GoodEventsRatio(total=total, good=good):
            events = _grown(total, window, by, raw)
            return events - _grown(good, window, by, raw).or_(0 * events)
        case Latency(total=total, fast=fast):
            return _grown(total, window, by, raw) - _grown(fast, window, by, raw)
        case NativeLatency():
            return None  # Prometheus 2.42 subtracts no histograms
        case Threshold() | Probe():
            seen = raw.latest(indicator.gauge).over(window)
            return Aggregation("count", out_of_bounds(indicator, seen), by)
        case _:
            assert_never(indicator)


def _grown(counter: Selector, window: Duration, by: tuple[str, ...], raw: Raw) -> Expr:
    now = raw.latest(counter)
    return Aggregation("sum", any_of((now - raw.earlier(counter, window)) >= 0, now), by)


def out_of_bounds(indicator: TimeSlices, seen: Selector) -> Expr:
    """The series that were bad at any time of `seen`, a range of the gauge, each with its worst value."""
    highest, lowest = (Call(f"{which}_over_time", (seen,)) for which in ("max", "min"))
    match indicator:
        case Probe():
            return lowest.equals(0)
        case Threshold(minimum=minimum, maximum=maximum):
            above = () if maximum is None else (highest > maximum,)
            below = () if minimum is None else (lowest < minimum,)
            return any_of(*above, *below)
        case _:
            assert_never(indicator)
