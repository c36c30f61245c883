"""What was scraped, but never entered: the last minute before Prometheus stopped, up to a minute of every stop.

The first entry after a stop begins at the last sample before it; what lies between the last evaluation and that sample
is in no entry. How far counters have grown since an evaluation before the stop, less what entries hold since then, is
just that. Roll-ups add it; short windows don't.
"""

from sereno_slo.duration import FIVE_MINUTES, MINUTE, Duration
from sereno_slo.model import Latency, ServiceLevelObjective
from sereno_slo.plan import series
from sereno_slo.plan.counting import GAP, Counters, Raw, counters_of
from sereno_slo.plan.rules import RecordingRule
from sereno_slo.plan.series import MISSED_LABELS, SLO_LABELS, Ledger, summed
from sereno_slo.promql import Aggregation, Binary, Call, Expr, Number, Selector, any_of

# An evaluation so long ago is asked for: five minutes for a restart of Prometheus, the whole gap for a stop.
_SINCE = (FIVE_MINUTES, GAP)
_HALF_A_MINUTE = Duration.parse("30s")


def missed(slo: ServiceLevelObjective, ledger: Ledger, raw: Raw) -> tuple[RecordingRule, ...]:
    """What entries missed, soon after a stop; otherwise nothing.

    Time slices and native histograms have no such rules: they lose their minute.
    """
    counters = counters_of(slo.indicator)
    if counters is None:
        return ()
    bad_events = _bad(counters, ledger, raw) if counters.part_is_bad else _not_good(slo, counters, ledger, raw)
    return (
        _rule(ledger, series.EVENTS_MISSED, _unentered(counters.total, ledger, raw, series.EVENTS_ENTRY) > 0),
        _rule(ledger, series.BAD_EVENTS_MISSED, bad_events),
    )


def _bad(counters: Counters, ledger: Ledger, raw: Raw) -> Expr:
    return _unentered(counters.part, ledger, raw, series.BAD_EVENTS_ENTRY) > 0


def _not_good(slo: ServiceLevelObjective, counters: Counters, ledger: Ledger, raw: Raw) -> Expr:
    """What is missed less what of it is good; of a latency without the threshold's bucket nothing is known."""
    events = Call("last_over_time", (ledger.series(series.EVENTS_MISSED).over(MINUTE.just_under()),))
    unentered = _unentered(counters.part, ledger, raw, series.EVENTS_ENTRY, series.BAD_EVENTS_ENTRY)
    good: Expr = Call("clamp_min", (unentered, Number(0)))
    if not isinstance(slo.indicator, Latency):
        good = good.or_(0 * events, ignoring=MISSED_LABELS)
    return Binary("-", events, good, ignoring=MISSED_LABELS)


def _rule(ledger: Ledger, name: str, expr: Expr) -> RecordingRule:
    return RecordingRule(ledger.series(name).metric, expr, ledger.labels | {"after": "outage"})


def _unentered(counter: Selector, ledger: Ledger, raw: Raw, entries: str, less: str | None = None) -> Expr:
    """Growth since an evaluation before the stop, less `entries` (and those not `less`); at the second one after it.

    At the first evaluation some targets haven't been scraped again. Where series began, ended or were reset meanwhile
    this is too little.
    """

    def since(time: Duration) -> Expr:
        now, then = raw.latest(counter), raw.earlier(counter, time)
        growth = Aggregation("sum", now - (then <= now), ledger.group_labels)
        entered: Expr = summed(ledger.series(entries), time)
        if less is not None:
            entered = entered - summed(ledger.series(less), time)
        return Binary("-", growth, entered, ignoring=SLO_LABELS).and_(_evaluated(ledger, time), on=())

    just_back = _evaluated(ledger, MINUTE).unless(_evaluated(ledger, MINUTE * 2))
    return any_of(*map(since, _SINCE)).and_(just_back, on=())


def _evaluated(ledger: Ledger, time: Duration) -> Expr:
    """Whether entries were made so long ago: the facts of the SLO are recorded with them."""
    mark = ledger.whole.series(series.OBJECTIVE)
    return Call("present_over_time", (mark.over(MINUTE).ago(time - _HALF_A_MINUTE),))
