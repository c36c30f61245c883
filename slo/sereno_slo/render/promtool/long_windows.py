"""Roll-ups, long windows, the budget and the slow tiers; evaluated every five minutes, as their group is.

promtool ignores a group's own interval, hence a file of its own with `evaluation_interval: 5m`. Scrapes come every
five minutes, too: an entry then holds the events of all five minutes, and every roll-up holds one entry.
"""

import math
from collections.abc import Iterator

from sereno_slo.duration import Duration
from sereno_slo.model import AlertingMode, BurnTier
from sereno_slo.plan import burn
from sereno_slo.policy import is_feasible
from sereno_slo.promql import Number
from sereno_slo.render.promtool.cases import Bench, Case
from sereno_slo.render.promtool.streams import phases, steady

_SLOT = Duration.parse("5m")
_DAY_SLOTS = 288
_MOST_IDLE_SLOTS = 400
_EVENTS = 3_000_000  # a slot, at least: large, so that bad events are whole numbers


def long_window_cases(bench: Bench) -> Iterator[Case]:
    """The budget's arithmetic, and every tier that can fire."""
    yield _budget(bench)
    yield _idle_after_traffic(bench)
    yield _uncertain(bench)
    for tier in bench.slo.alerting.tiers[1:]:
        if is_feasible(bench.slo, tier):
            yield _burn(bench, tier)


def _budget(bench: Bench) -> Case:
    """Half of the budget's pace for a day and a slot: the ratio is half of what is allowed, half of the budget is left.

    The slot more shows that a day holds 288 roll-ups: a range of a whole 1d would hold 289 of them on Prometheus 2.x.
    """
    budget = bench.slo.error_budget_ratio
    events = bench.events_a_scrape(_EVENTS)
    bad_events = math.floor(events * budget / 2)
    ratio = (bad_events * _DAY_SLOTS) / (events * _DAY_SLOTS)
    at = str(_SLOT * (_DAY_SLOTS + 1))
    slots_of_window = float(str(Number(bench.slo.window / Duration.parse("1m"))))  # as the rule writes it
    return bench.case(
        "sums five minutes, a day and the window exactly",
        bench.healthy(steady(_DAY_SLOTS + 1, events, bad_events)),
        bench.recorded(at, "sereno:events:sum5m", events),
        bench.recorded(at, "sereno:bad_events:sum5m", bad_events),
        bench.recorded(at, "sereno:events:expected5m", events),
        bench.recorded(at, "sereno:events:2h", events * 24),
        bench.recorded(at, "sereno:events:6h", events * 72),
        bench.recorded(at, "sereno:events:1d", events * _DAY_SLOTS),
        bench.recorded(at, "sereno:bad_events:1d", bad_events * _DAY_SLOTS),
        bench.recorded(at, "sereno:error_ratio:window", ratio),
        bench.recorded(at, "sereno:error_budget_remaining:ratio", 1 - ratio / budget),
        # promtool brings one entry of coverage in five minutes; a real server brings five.
        bench.recorded(at, "sereno:coverage:ratio", _slots_in(bench, _DAY_SLOTS + 2) / slots_of_window),
        bench.recorded(at, "sereno_slo_objective_ratio", bench.slo.objective_ratio),
        bench.recorded(at, "sereno_slo_window_seconds", bench.slo.window.seconds),
    )


def _slots_in(bench: Bench, slots: int) -> int:
    """How many of the slots, the first at time zero, lie within the SLO's window, whose range is just under it."""
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


def _uncertain(bench: Bench) -> Case:
    """As many bad events as `min_bad_events` asks for, but no more than chance brings while the objective holds.

    Chance: `sqrt(bad) - sqrt(B*total)` is just below z/2. Where budget counts, the idle slots before are as many as it
    takes for these bad events to be the tickets' share of the budget, however little traffic there was.
    """
    bad_events = bench.slo.alerting.min_bad_events
    allowed = max(0.5, math.sqrt(bad_events) - burn.Z / 2 + 0.05) ** 2
    events = math.ceil(allowed / bench.slo.error_budget_ratio)
    bad_events = min(bad_events, events)
    share_slots = max(tier.budget_spent_ratio for tier in bench.slo.alerting.tiers) * (bench.slo.window / _SLOT)
    idle_slots = min(_MOST_IDLE_SLOTS, math.ceil(1.2 * share_slots * allowed / bad_events)) if _spends(bench) else 1
    at = [_SLOT * (idle_slots + slots) for slots in (1, 2, 3)]
    return bench.case(
        "bad events that chance can bring are no ticket",
        bench.healthy(phases((idle_slots, 0, 0), (1, events, bad_events), (3, 0, 0))),
        *(bench.burns(moment, count=None, burn=name) for moment in at for name in ("fast", "slow")),
        bench.recorded(str(at[1]), "sereno:bad_events:1d", bad_events),
    )


def _spends(bench: Bench) -> bool:
    """Whether only budget really spent alerts: a ratio over what is there so far is exceeded at once."""
    return bench.slo.alerting.mode is AlertingMode.BUDGET


def _burn(bench: Bench, tier: BurnTier) -> Case:
    """Several times the tier's threshold until its share is spent, then healthy.

    Many times as fast as the threshold, so that the three days of the slowest tier take three simulated hours.
    """
    threshold = tier.factor(bench.slo.window) * bench.slo.error_budget_ratio
    # Windows of few days have burn rates below 1; what is not worse than the objective is no evidence.
    ratio = min(1.0, 24 * max(threshold, bench.slo.error_budget_ratio))
    events = bench.events_a_scrape(_EVENTS)
    kept = bench.slo.alerting.keep_firing_for
    # More than the tier's share, and one slot more: alerts are judged before that slot's roll-ups are made.
    spent_slots = math.floor((tier.long / _SLOT) * threshold / ratio)
    burning_slots = spent_slots + 2
    resolved_slots = math.ceil(tier.short / _SLOT) + 2 + (0 if kept is None else math.ceil(kept / _SLOT))
    labels = {"burn": tier.burn, "severity": str(tier.severity), "long_window": str(tier.long)}
    return bench.case(
        f"a burn over {tier.long} alerts and resolves after {tier.short}",
        bench.healthy(phases((burning_slots, events, math.ceil(ratio * events)), (resolved_slots, events, 0))),
        *([bench.burns(_SLOT * (spent_slots - 1), count=None, **labels)] if _spends(bench) and spent_slots > 1 else []),
        bench.burns(_SLOT * burning_slots, count=1, **labels),
        bench.burns(_SLOT * (burning_slots + resolved_slots), count=None, **labels),
    )
