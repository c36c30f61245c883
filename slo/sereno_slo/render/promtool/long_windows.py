"""Roll-ups, long windows, the budget and the slow tiers; evaluated every five minutes, as their group is.

promtool ignores a group's own interval, hence a file of its own with `evaluation_interval: 5m`. Scrapes come every
five minutes, too: an entry then holds the events of all five minutes, and every roll-up holds one entry.
"""

import math
from collections.abc import Iterator

from sereno_slo.duration import Duration
from sereno_slo.model import BurnTier
from sereno_slo.policy import is_feasible
from sereno_slo.promql import Number
from sereno_slo.render.promtool.cases import Bench, Case
from sereno_slo.render.promtool.streams import phases, steady

_SLOT = Duration.parse("5m")
_DAY_SLOTS = 288
_EVENTS = 3_000_000  # a slot, at least: large, so that bad events are whole numbers


def long_window_cases(bench: Bench) -> Iterator[Case]:
    """The budget's arithmetic, and every tier that can fire."""
    yield _budget(bench)
    yield _idle_after_traffic(bench)
    yield _single_failure(bench)
    for tier in bench.slo.alerting.tiers[1:]:
        if is_feasible(bench.slo, tier):
            yield _burn(bench, tier)


def _budget(bench: Bench) -> Case:
    """Half of the budget's pace for a day: the error ratio is half of what is allowed, half of the budget is left."""
    budget = bench.slo.error_budget_ratio
    events = bench.events_a_scrape(_EVENTS)
    bad_events = math.floor(events * budget / 2)
    ratio = (bad_events * _DAY_SLOTS) / (events * _DAY_SLOTS)
    slots_of_window = float(str(Number(bench.slo.window / Duration.parse("1m"))))  # as the rule writes it
    return bench.case(
        "sums five minutes, a day and the window exactly",
        bench.healthy(steady(_DAY_SLOTS, events, bad_events)),
        bench.recorded("1d", "sereno:events:sum5m", events),
        bench.recorded("1d", "sereno:bad_events:sum5m", bad_events),
        bench.recorded("1d", "sereno:events:1d", events * _DAY_SLOTS),
        bench.recorded("1d", "sereno:bad_events:1d", bad_events * _DAY_SLOTS),
        bench.recorded("1d", "sereno:error_ratio:window", ratio),
        bench.recorded("1d", "sereno:error_budget_remaining:ratio", 1 - ratio / budget),
        # promtool brings one entry of coverage in five minutes; a real server brings five.
        bench.recorded("1d", "sereno:coverage:ratio", _slots_in(bench, _DAY_SLOTS + 1) / slots_of_window),
        bench.recorded("1d", "sereno_slo_objective_ratio", bench.slo.objective_ratio),
        bench.recorded("1d", "sereno_slo_window_seconds", bench.slo.window.seconds),
    )


def _slots_in(bench: Bench, slots: int) -> int:
    """How many of the slots, the first at time zero, lie within the SLO's window, whose range is just under it."""
    return min(slots, int(bench.slo.window.just_under() / _SLOT) + 1)


def _idle_after_traffic(bench: Bench) -> Case:
    """Four busy hours, then two idle ones: the ratio of the window stays what it was, weighted by traffic."""
    events = bench.events_a_scrape(_EVENTS)
    bad_events = math.floor(events * bench.slo.error_budget_ratio / 4)
    return bench.case(
        "an idle time changes no ratio and is never NaN",
        bench.healthy(phases((48, events, bad_events), (24, 0, 0))),
        bench.recorded("6h", "sereno:error_ratio:5m", 0),
        bench.recorded("6h", "sereno:error_ratio:window", bad_events / events),
        bench.recorded("6h", "sereno:events:window", events * 48),
    )


def _single_failure(bench: Bench) -> Case:
    """One failure among ten requests an hour for half a day: neither a page nor a ticket."""
    every = 12
    parts: list[tuple[int, float, float]] = []
    for hour in range(12):
        parts += [(every - 1, 1, 0), (1, 1, 1 if hour == 2 else 0)]  # noqa: PLR2004 - any hour will do
    return bench.case(
        "a single failure at twelve requests an hour is no ticket",
        bench.healthy(phases(*parts)),
        *(bench.burns(Duration.parse(at), count=None) for at in ("3h", "3h5m", "4h", "8h", "12h")),
        bench.recorded("4h", "sereno:bad_events:1d", 1),
    )


def _burn(bench: Bench, tier: BurnTier) -> Case:
    """Several times the tier's threshold until its share is spent, then healthy.

    Six times as fast as the threshold, so that the three days of the slowest tier need half a day of simulated time.
    """
    threshold = tier.factor(bench.slo.window) * bench.slo.error_budget_ratio
    # Windows of few days have burn rates below 1; what is not worse than the objective is no evidence.
    ratio = min(1.0, 6 * max(threshold, bench.slo.error_budget_ratio))
    events = bench.events_a_scrape(_EVENTS)
    kept = bench.slo.alerting.keep_firing_for
    # More than the tier's share, and one slot more: alerts are judged before that slot's roll-ups are made.
    burning_slots = math.floor((tier.long / _SLOT) * threshold / ratio) + 2
    resolved_slots = math.ceil(tier.short / _SLOT) + 2 + (0 if kept is None else math.ceil(kept / _SLOT))
    labels = {"burn": tier.burn, "severity": str(tier.severity), "long_window": str(tier.long)}
    return bench.case(
        f"a burn over {tier.long} alerts and resolves after {tier.short}",
        bench.healthy(phases((burning_slots, events, math.ceil(ratio * events)), (resolved_slots, events, 0))),
        bench.burns(_SLOT * burning_slots, count=1, **labels),
        bench.burns(_SLOT * (burning_slots + resolved_slots), count=None, **labels),
    )
