"""Roll-ups, long windows, and what is no ticket; evaluated every five minutes, as their group is.

promtool ignores a group's own interval, hence a file of its own with `evaluation_interval: 5m`. Scrapes come every
five minutes, too: an entry then holds the events of all five minutes, and every roll-up holds one entry, the one before
its own time, because roll-ups sum what was entered until a minute ago.
"""

import math
from collections.abc import Iterator

from sereno_slo.duration import Duration
from sereno_slo.model import AlertingMode, Latency
from sereno_slo.plan import exhausted
from sereno_slo.policy import EVIDENCE_Z
from sereno_slo.promql import Number
from sereno_slo.render.promtool.cases import LONG_AGO_SECONDS, TARGET_NAME, Bench, Case
from sereno_slo.render.promtool.streams import Series, Target, phases, restarted, steady, where_up

_SLOT = Duration.parse("5m")
_DAY_SLOTS = 288
_LAST_SLOT = _DAY_SLOTS + 4  # of the longest case: a little more than a day
_MOST_IDLE_SLOTS = 400
_WINDOWS = {"30m": 6, "1h": 12, "2h": 24, "6h": 72}
_EVENTS = 3_000_000  # a slot, at least: large, so that bad events are whole numbers


def long_window_cases(bench: Bench) -> Iterator[Case]:
    """The budget's arithmetic, and what is too little to alert on; the tiers have cases of their own."""
    yield _budget(bench)
    yield _idle_after_traffic(bench)
    yield _nothing_counted(bench)
    if bench.may_count_good_late:
        yield _good_counted_late(bench)
    if isinstance(bench.slo.indicator, Latency):
        yield _no_such_bucket(bench)
    yield _reset_of_old_series(bench)
    if bench.settings.process_start_metric is not None:
        yield _born_again(bench)
    yield _uncertain(bench)
    if bench.slo.alerting.min_bad_events > 1:
        yield _few_failures(bench)


def _budget(bench: Bench) -> Case:
    """Half of the budget's pace for over a day: the ratio is half of what is allowed, half of the budget is left.

    The slots more show that a day holds 288 roll-ups: a range of a whole 1d would hold 289 of them on Prometheus 2.x.
    """
    budget = bench.slo.error_budget_ratio
    events = bench.events_a_scrape(_EVENTS)
    bad_events = math.floor(events * budget / 2)
    ratio = (bad_events * _DAY_SLOTS) / (events * _DAY_SLOTS)
    at = str(_SLOT * _LAST_SLOT)
    slots_of_window = float(str(Number(bench.slo.window / Duration.parse("1m"))))  # as the rule writes it
    return bench.case(
        "sums five minutes, a day and the window exactly, whatever comes back meanwhile",
        [*bench.healthy(steady(_LAST_SLOT, events, bad_events)), *_coming_back(bench)],
        # The roll-ups of time zero and of the slot after it, which sums what was entered until then, are the others.
        *([] if bench.delayed_evaluations else [bench.recorded("10m", "sereno:events:expected5m", events / 3)]),
        bench.recorded(at, "sereno:events:sum5m", events),
        bench.recorded(at, "sereno:bad_events:sum5m", bad_events),
        *(bench.recorded(at, f"sereno:events:{window}", events * slots) for window, slots in _WINDOWS.items()),
        bench.recorded(at, "sereno:events:1d", events * _DAY_SLOTS),
        bench.recorded(at, "sereno:bad_events:1d", bad_events * _DAY_SLOTS),
        bench.recorded(at, "sereno:error_ratio:window", ratio),
        bench.recorded(at, "sereno:error_budget_remaining:ratio", 1 - ratio / budget),
        # promtool brings one entry of coverage in five minutes; a real server brings five. Time zero has none.
        bench.recorded(at, "sereno:coverage:ratio", _slots_in(bench, _LAST_SLOT - 1) / slots_of_window),
        bench.recorded(at, "sereno_slo_objective_ratio", bench.slo.objective_ratio),
        bench.recorded(at, "sereno_slo_window_seconds", bench.slo.window.seconds),
    )


def _coming_back(bench: Bench) -> list[Series]:
    """Series of a watched process that come back with their counts after 35 minutes, 4 h 55 and 17 h 30: no news."""
    if bench.settings.process_start_metric is None:
        return []  # nothing tells these series from newborn ones
    seen = [(0, 8), (15, 20), (79, 82), (_LAST_SLOT, _LAST_SLOT)]
    here = tuple(int(any(first <= slot <= last for first, last in seen)) for slot in range(_LAST_SLOT + 1))
    counted = steady(_LAST_SLOT, 0).beginning_at(700, 70)
    target = Target(TARGET_NAME, LONG_AGO_SECONDS, up=here).series("coming and going")
    return bench.feed.counters(target, where_up(counted, here))


def _slots_in(bench: Bench, slots: int) -> int:
    """How many of the latest slots lie within the SLO's window, whose range is just under it."""
    return min(slots, int(bench.slo.window.just_under() / _SLOT) + 1)


def _idle_after_traffic(bench: Bench) -> Case:
    """Two busy hours, then an idle one: the ratio of the window stays what it was, weighted by traffic."""
    events = bench.events_a_scrape(_EVENTS)
    bad_events = math.floor(events * bench.slo.error_budget_ratio / 4)
    return bench.case(
        "an idle time changes no ratio and is never NaN",
        bench.healthy(phases((24, events, bad_events), (12, 0, 0))),
        bench.recorded("3h", "sereno:error_ratio:5m", 0),
        bench.recorded("3h", "sereno:error_ratio:window", bad_events / events),
        bench.recorded("3h", "sereno:events:window", events * 24),
    )


def _nothing_counted(bench: Bench) -> Case:
    """A service without any series, scaled to zero or never used: no entries, and roll-ups that say zero."""
    target = Target(TARGET_NAME, LONG_AGO_SECONDS, up=(1,) * 4)
    return bench.case(
        "five minutes without any entry had no events",
        bench.feed.health(target),
        bench.recorded("15m", "sereno:events:delta1m", None),
        bench.recorded("15m", "sereno:coverage:delta1m", None),
        bench.recorded("15m", "sereno:events:sum5m", 0),
        bench.recorded("15m", "sereno:bad_events:sum5m", 0),
        bench.recorded("15m", "sereno:error_budget_remaining:ratio", 1),
    )


def _good_counted_late(bench: Bench) -> Case:
    """Roll-ups keep the sign of entries; windows, which people see, are never below zero."""
    return bench.case(
        "roll-ups hold when good events are counted late, and no long window has less than none",
        bench.healthy(phases((1, 100, 10), (1, 100, -4), (1, 100, -8))),
        bench.recorded("15m", "sereno:bad_events:sum5m", -4),
        bench.recorded("15m", "sereno:bad_events:1d", 6),
        bench.recorded("20m", "sereno:bad_events:1d", 0),
        bench.recorded("20m", "sereno:bad_events:window", 0),
    )


def _no_such_bucket(bench: Bench) -> Case:
    """Events without entries of bad events: nobody knows how many were bad, so no figure claims to."""
    return bench.case(
        "without the threshold's bucket no budget is left or spent",
        bench.healthy(steady(3, _EVENTS))[:-1],
        bench.recorded("15m", "sereno:events:sum5m", _EVENTS),
        bench.recorded("15m", "sereno:bad_events:sum5m", None),
        # What was before the first event: none of none was bad.
        bench.recorded("15m", "sereno:error_ratio:window", 0),
    )


def _reset_of_old_series(bench: Bench) -> Case:
    """What was there an hour ago and has just been reset is no return after a long absence."""
    slots, reset = 16, 15
    watched = Target(TARGET_NAME, LONG_AGO_SECONDS, up=(1,) * slots)

    # Back since the slot before the reset, and absent between.
    here = tuple(int(slot in {0, 1, reset - 1, reset}) for slot in range(slots))
    counted = restarted(steady(slots - 1, 0).beginning_at(1000, 100), reset, 30, 5)
    return bench.case(
        "counts from zero after a reset of what has been there for long",
        [*bench.feed.health(watched), *bench.feed.counters(watched, where_up(counted, here))],
        bench.recorded("1h15m", "sereno:events:delta1m", 30),
        bench.recorded("1h15m", "sereno:bad_events:delta1m", 5),
    )


def _born_again(bench: Bench) -> Case:
    """An error series of the process before, and one of this process: they have nothing in common."""
    slots, restart, error = 16, 4, 15
    up = (1,) * slots
    target = Target(TARGET_NAME, LONG_AGO_SECONDS, up=up, restarts={restart: (_SLOT * restart).seconds - 60})
    here = tuple(int(slot < restart or slot == error) for slot in range(slots))
    counted = restarted(steady(slots - 1, 0).beginning_at(100, 10), restart, 150, 15)
    return bench.case(
        "counts all of a series that is born again in a later process",
        [*bench.feed.health(target), *bench.feed.counters(target, where_up(counted, here))],
        bench.recorded("1h15m", "sereno:events:delta1m", 150),
        bench.recorded("1h15m", "sereno:bad_events:delta1m", 15),
    )


def _few_failures(bench: Bench) -> Case:
    """One bad event fewer than `min_bad_events`, and no other events: no ticket, and no word of an exhausted budget."""
    few = bench.slo.alerting.min_bad_events - 1
    at = [_SLOT * slots for slots in (5, 6, 7)]
    return bench.case(
        "few failures are no ticket",
        bench.healthy(phases((4, 0, 0), (1, few, few), (3, 0, 0))),
        *(bench.is_quiet(moment) for moment in at),
        *(bench.fires(moment, count=None, alertname=exhausted.ALERT) for moment in at),
        bench.recorded(str(at[1]), "sereno:bad_events:1d", few),
        bench.recorded(str(at[1]), "sereno:error_ratio:window", 1),
    )


def _uncertain(bench: Bench) -> Case:
    """As many bad events as `min_bad_events` asks for, but no more than chance brings while the objective holds.

    Chance: `sqrt(bad) - sqrt(B*total)` is just below z/2. Where budget counts, the idle slots before are as many as it
    takes for these bad events to be the tickets' share of the budget, however little traffic there was.
    """
    bad_events = bench.slo.alerting.min_bad_events
    allowed = max(0.5, math.sqrt(bad_events) - EVIDENCE_Z / 2 + 0.05) ** 2
    events = math.ceil(allowed / bench.slo.error_budget_ratio)
    bad_events = min(bad_events, events)
    share_slots = max(tier.budget_spent_ratio for tier in bench.slo.alerting.tiers) * (bench.slo.window / _SLOT)
    idle_slots = min(_MOST_IDLE_SLOTS, math.ceil(1.2 * share_slots * allowed / bad_events)) if _spends(bench) else 1
    at = [_SLOT * (idle_slots + slots) for slots in (1, 2, 3)]
    return bench.case(
        "bad events that chance can bring are no ticket",
        bench.healthy(phases((idle_slots, 0, 0), (1, events, bad_events), (3, 0, 0))),
        *(bench.is_quiet(moment, outages=False) for moment in at),
        bench.recorded(str(at[1]), "sereno:bad_events:1d", bad_events),
    )


def _spends(bench: Bench) -> bool:
    """Whether only budget really spent alerts: a ratio over what is there so far is exceeded at once."""
    return bench.slo.alerting.mode is AlertingMode.BUDGET
