"""The minute entries of an SLO: how many events happened, how many were bad, and how much was seen."""

from typing import assert_never

from sereno_slo.duration import MINUTE
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
)
from sereno_slo.plan import series
from sereno_slo.plan.counting import Raw, counted
from sereno_slo.plan.native import fast_observations, observations
from sereno_slo.plan.rules import RecordingRule
from sereno_slo.plan.series import SLO_LABELS, Ledger
from sereno_slo.plan.slices import bad_slices, slices
from sereno_slo.promql import Aggregation, Binary, Call, Expr


def entries(slo: ServiceLevelObjective, settings: Settings) -> tuple[RecordingRule, ...]:
    """The minute's entry: events, bad events, and how much of the targets was seen."""
    ledger, raw = Ledger.of(slo), Raw(settings)
    return (
        ledger.record(series.EVENTS_ENTRY, events_entry(slo.indicator, raw)),
        ledger.record(series.BAD_EVENTS_ENTRY, bad_events_entry(slo.indicator, ledger, raw)),
        ledger.record(series.COVERAGE_ENTRY, targets_seen(slo, raw)),
    )


def events_entry(indicator: Indicator, raw: Raw, by: tuple[str, ...] = ()) -> Expr:
    """How many events happened in the minute; no value where no series was seen."""
    match indicator:
        case BadEventsRatio(total=total) | GoodEventsRatio(total=total) | Latency(total=total):
            return counted(total, raw, by)
        case NativeLatency():
            return observations(indicator, raw, by)
        case Threshold() | Probe():
            return slices(indicator, raw, by)
        case _:
            assert_never(indicator)


def bad_events_entry(indicator: Indicator, ledger: Ledger, raw: Raw) -> Expr:
    """How many of the minute's events were bad; zero where no error series exists yet.

    What is counted as total less good can be below zero in a minute in which more was found good than began: entries
    keep the sign, so that sums stay exact.
    """
    by = ledger.group_labels
    # This minute's entry only: after a short stop of Prometheus an instant look-up would still find the last one.
    events = Call("last_over_time", (ledger.series(series.EVENTS_ENTRY).over(MINUTE.just_under()),))
    none = 0 * events
    match indicator:
        case BadEventsRatio(bad=bad):
            # Without `ignoring` the `or` fails as soon as errors exist: both sides would become the same series.
            return counted(bad, raw, by).or_(none, ignoring=SLO_LABELS)
        case GoodEventsRatio(good=good):
            return _less(events, counted(good, raw, by).or_(none, ignoring=SLO_LABELS))
        case Latency(fast=fast):
            # No `or` here: histograms are born with all their buckets, so a missing one means that the threshold is
            # no bucket bound. Then there is no bad entry, and SLONoData says so, rather than "all fast" or "all slow".
            return _less(events, counted(fast, raw, by))
        case NativeLatency():
            return _less(events, fast_observations(indicator, raw, by))
        case Threshold() | Probe():
            return bad_slices(indicator, raw, by)
        case _:
            assert_never(indicator)


def _less(events: Expr, good: Expr) -> Expr:
    return Binary("-", events, good, ignoring=SLO_LABELS)


def may_be_negative(indicator: Indicator) -> bool:
    """Whether a window's bad events can come out below zero, because they are what is left of two counts."""
    return isinstance(indicator, GoodEventsRatio | Latency | NativeLatency)


def targets_seen(slo: ServiceLevelObjective, raw: Raw) -> Expr:
    """The part of the known targets that answered their last scrape, in minutes that have an entry."""
    up = raw.target(slo.indicator.total, "up")
    entry = Ledger.of(slo).series(series.EVENTS_ENTRY).over(MINUTE.just_under())
    return Aggregation("avg", up).and_(Call("last_over_time", (entry,)), on=())
