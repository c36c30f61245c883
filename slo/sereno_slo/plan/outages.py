"""What was scraped, but never entered: the last minute before Prometheus stopped, up to a minute of every stop.

The first entry after a stop begins at the last sample before it; what lies between the last evaluation and that sample
is in no entry (-1.6 % of the window's errors, measured with 20 minutes of stop within an incident of two hours). How
far counters have grown since an evaluation before the stop, less what entries hold since then, is just that. Roll-ups
add it; short windows don't.
"""

from collections.abc import Callable
from typing import assert_never

from sereno_slo.duration import Duration
from sereno_slo.model import (
    BadEventsRatio,
    GoodEventsRatio,
    Latency,
    NativeLatency,
    Probe,
    ServiceLevelObjective,
    Threshold,
)
from sereno_slo.plan import series
from sereno_slo.plan.counting import Raw
from sereno_slo.plan.rules import RecordingRule
from sereno_slo.plan.series import MINUTE, MISSED_LABELS, SLO_LABELS, Ledger
from sereno_slo.promql import Aggregation, Binary, Call, Expr, Number, Selector, any_of

# An evaluation so long ago is asked for: five minutes for a restart of Prometheus, the whole gap for a stop.
_SINCE = tuple(map(Duration.parse, ("5m", "23m")))


def missed(slo: ServiceLevelObjective, ledger: Ledger, raw: Raw) -> tuple[RecordingRule, ...]:
    """What entries missed, soon after a stop; otherwise nothing.

    Time slices and native histograms have no such rules: they lose their minute.
    """
    match slo.indicator:
        case BadEventsRatio(total=total, bad=bad):
            return (
                _rule(ledger, series.EVENTS_MISSED, _unentered(total, ledger, raw, _events(ledger)) > 0),
                _rule(ledger, series.BAD_EVENTS_MISSED, _unentered(bad, ledger, raw, _bad_events(ledger)) > 0),
            )
        case GoodEventsRatio(total=total, good=good) | Latency(total=total, fast=good):
            events = _unentered(total, ledger, raw, _events(ledger)) > 0
            return (
                _rule(ledger, series.EVENTS_MISSED, events),
                _rule(ledger, series.BAD_EVENTS_MISSED, _not_good(slo.indicator, good, ledger, raw)),
            )
        case NativeLatency() | Threshold() | Probe():
            return ()
        case _:
            assert_never(slo.indicator)


def _not_good(indicator: GoodEventsRatio | Latency, good: Selector, ledger: Ledger, raw: Raw) -> Expr:
    """What is missed less what of it is good; of a latency without the threshold's bucket nothing is known."""
    events = Call("last_over_time", (ledger.series(series.EVENTS_MISSED).over(MINUTE.just_under()),))
    found: Expr = Call("clamp_min", (_unentered(good, ledger, raw, _good_events(ledger)), Number(0)))
    if isinstance(indicator, GoodEventsRatio):
        found = found.or_(0 * events, ignoring=MISSED_LABELS)
    return Binary("-", events, found, ignoring=MISSED_LABELS)


def _rule(ledger: Ledger, name: str, expr: Expr) -> RecordingRule:
    return RecordingRule(ledger.series(name).metric, expr, ledger.labels | {"after": "outage"})


def _unentered(counter: Selector, ledger: Ledger, raw: Raw, entered: Callable[[Duration], Expr]) -> Expr:
    """Growth since an evaluation before the stop, less what is entered; at the second evaluation after it.

    At the first one some targets haven't been scraped again. Where series began, ended or were reset meanwhile this is
    too little, never too much.
    """

    def since(time: Duration) -> Expr:
        growth = Aggregation("sum", _growth(counter, raw, time), ledger.group_labels)
        return Binary("-", growth, entered(time), ignoring=SLO_LABELS).and_(_evaluated(ledger, time), on=())

    just_back = _evaluated(ledger, MINUTE).unless(_evaluated(ledger, MINUTE * 2))
    return any_of(*map(since, _SINCE)).and_(just_back, on=())


def _growth(counter: Selector, raw: Raw, time: Duration) -> Expr:
    now, then = raw.latest(counter), raw.earlier(counter, time)
    return now - (then <= now)


def _evaluated(ledger: Ledger, time: Duration) -> Expr:
    """Whether entries were made so long ago: the facts of the SLO are recorded with them."""
    mark = Ledger(ledger.service, ledger.slo).series(series.OBJECTIVE)
    return Call("present_over_time", (mark.over(MINUTE).ago(time.less(MINUTE.half())),))


def _summed(ledger: Ledger, name: str, time: Duration) -> Expr:
    return Call("sum_over_time", (ledger.series(name).over(time.just_under()),))


def _events(ledger: Ledger) -> Callable[[Duration], Expr]:
    return lambda time: _summed(ledger, series.EVENTS_ENTRY, time)


def _bad_events(ledger: Ledger) -> Callable[[Duration], Expr]:
    return lambda time: _summed(ledger, series.BAD_EVENTS_ENTRY, time)


def _good_events(ledger: Ledger) -> Callable[[Duration], Expr]:
    return lambda time: _events(ledger)(time) - _bad_events(ledger)(time)
