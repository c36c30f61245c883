"""Is it said when the budget is gone, and not before, and foretold rightly? Slots of five minutes."""

from collections.abc import Iterator

from sereno_slo.duration import FIVE_MINUTES, Duration
from sereno_slo.model import TimeSlices
from sereno_slo.plan import exhausted, series
from sereno_slo.render.promtool.cases import Bench, Case, Expectation
from sereno_slo.render.promtool.streams import phases

_EVENTS = 3_000_000  # a slot, at least: large, so that bad events are whole numbers
_DAY = Duration.parse("1d")
_MOST_SLOTS = 300
# The budget is spent by this many failing slots, half of the last one too much.
_SPENT_SLOTS = 3.5
_RECORDED, _ALERTED = 1, 2
"""By how many slots records and alerts lag: roll-ups sum what was entered before, alerts read what was recorded."""


def exhausted_cases(bench: Bench) -> Iterator[Case]:
    """Counted events, and time slices, which can't be bad in part."""
    if not isinstance(bench.slo.indicator, TimeSlices):
        yield _spent_and_restored(bench)
    elif (slots := _bad_slots(bench)) is not None:
        yield _spent_by_slices(bench, slots)


def _says(bench: Bench, slot: int, *, count: int | None) -> Expectation:
    return bench.fires(FIVE_MINUTES * slot, count=count, alertname=exhausted.ALERT, severity="warning")


def _spent_and_restored(bench: Bench) -> Case:
    """A busy slot, four slots that spend its budget, and another busy one that gives budget back."""
    budget = bench.slo.error_budget_ratio
    ratio = min(1.0, 4 * budget)
    events = bench.events_a_scrape(_EVENTS)
    busy, bad_events = round(_SPENT_SLOTS * (ratio - budget) / budget * events), round(ratio * events)
    all_events, all_bad = busy + 3 * events, 3 * bad_events
    left = 1 - all_bad / all_events / budget
    foretold = left * (budget * all_events) / all_bad * _DAY.seconds
    recorded = [str(FIVE_MINUTES * (slot + _RECORDED)) for slot in range(6)]
    return bench.case(
        "an exhausted budget is foretold, is a ticket, and none when some is back",
        bench.healthy(phases((1, busy, 0), (4, events, bad_events), (2, 4 * (busy + events), 0), (2, 0, 0))),
        bench.recorded(recorded[1], series.EXHAUSTED_IN, None),
        bench.recorded(recorded[4], series.BUDGET_REMAINING, left),
        bench.recorded(recorded[4], series.EXHAUSTED_IN, foretold),
        bench.recorded(recorded[5], series.EXHAUSTED_IN, 0),
        _says(bench, 4 + _ALERTED, count=None),
        _says(bench, 5 + _ALERTED, count=1),
        _says(bench, 6 + _ALERTED, count=None),
    )


def _bad_slots(bench: Bench) -> int | None:
    """So many bad slots after a good one spend the budget; None where that takes longer than a day."""
    budget, least = bench.slo.error_budget_ratio, bench.slo.alerting.min_bad_events
    # The slice of time zero is good, too.
    return next((bad for bad in range(least, _MOST_SLOTS) if bad >= round(budget * (bad + 2), 9)), None)


def _spent_by_slices(bench: Bench, slots: int) -> Case:
    return bench.case(
        "an exhausted budget is a ticket",
        bench.healthy(phases((1, 1, 0), (slots + 2, 1, 1))),
        bench.recorded(str(FIVE_MINUTES * (2 + _RECORDED + slots)), series.EXHAUSTED_IN, 0),
        _says(bench, slots + _ALERTED, count=None),
        _says(bench, 1 + slots + _ALERTED, count=1),
    )
