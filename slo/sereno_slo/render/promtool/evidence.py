"""What is evidence where traffic isn't what it usually is? Evaluated once a day, as what is usual is (`days.py`)."""

import math
from collections.abc import Iterator, Mapping

from sereno_slo.conventions import LONGEST_SUM_OF_MINUTES
from sereno_slo.duration import FIVE_MINUTES, MINUTE, Duration
from sereno_slo.model import AlertingMode, BurnTier
from sereno_slo.plan import series
from sereno_slo.plan.series import Ledger
from sereno_slo.policy import EVIDENCE_Z, is_feasible
from sereno_slo.render.promtool.cases import Bench, Case
from sereno_slo.render.promtool.streams import Series
from sereno_slo.render.promtool.tiers import labels_of

_DAY = Duration.parse("1d")
_HOUR = Duration.parse("1h")
_SLOTS_A_DAY = _DAY / FIVE_MINUTES
_USUAL_DAYS = 3
"""And a fourth without any entry, whose hours are written as recorded: the average is three quarters of a usual day."""
_MOST_OF_USUAL = 24  # times the usual events are evidence; more are bots
_BUSY, _IDLE = 4, 0.1


def evidence_cases(bench: Bench) -> Iterator[Case]:
    """The first tier whose windows are sums of minutes, where it judges budget spent."""
    tiers = [each for each in bench.slo.alerting.tiers if is_feasible(bench.slo, each)]
    tier = next((each for each in tiers if each.long <= LONGEST_SUM_OF_MINUTES), None)
    if tier is not None and bench.slo.alerting.mode is not AlertingMode.RATIO:
        yield _drowned(bench, tier)
        yield _rare(bench, tier)


def _drowned(bench: Bench, tier: BurnTier) -> Case:
    """So many events of bots that no failure of a user would be evidence, if all of them counted."""
    slo, budget = bench.slo, bench.slo.error_budget_ratio
    least = slo.alerting.min_bad_events
    usual = 1000 * math.ceil(least / budget / 1000)
    slots = {window: window / FIVE_MINUTES for window in (tier.short, tier.long)}
    allowed = budget * _MOST_OF_USUAL * slots[tier.long] * usual
    spent = {window: 1.5 * tier.factor(slo.window) * budget * each * usual for window, each in slots.items()}
    bad_short = math.ceil(max(spent[tier.short], least))
    bad_long = max(bad_short, math.ceil(max(spent[tier.long], (math.sqrt(allowed) + EVIDENCE_Z) ** 2)))
    return bench.case(
        f"bots don't drown what fails within {tier.long}",
        _recorded(bench, tier, usual, bad=(bad_short, bad_long), events=math.ceil(_BUSY * bad_long / budget)),
        bench.burns(_DAY * (_USUAL_DAYS + 1), count=1, **labels_of(tier)),
    )


def _rare(bench: Bench, tier: BurnTier) -> Case:
    """A batch after quiet days: its failures are compared with its own events, of which chance can break as many."""
    budget, least = bench.slo.error_budget_ratio, bench.slo.alerting.min_bad_events
    usual = _IDLE * least / budget / (_MOST_OF_USUAL * (tier.long / FIVE_MINUTES))
    by_chance = max(0.5, math.sqrt(least) - EVIDENCE_Z / 2 + 0.05) ** 2
    return bench.case(
        f"what is rare is compared with itself within {tier.long}",
        _recorded(bench, tier, usual, bad=(least, least), events=max(least, math.ceil(by_chance / budget))),
        bench.burns(_DAY * (_USUAL_DAYS + 1), count=None, **labels_of(tier)),
    )


def _recorded(bench: Bench, tier: BurnTier, usual: float, *, bad: tuple[int, int], events: int) -> list[Series]:
    ledger, a_day = Ledger.of(bench.slo), round(_DAY / MINUTE)
    days = {day * a_day - 1: usual * _SLOTS_A_DAY for day in range(1, _USUAL_DAYS + 1)}
    now = (_USUAL_DAYS + 1) * a_day

    def written(name: str, values: Mapping[int, float]) -> Series:
        return Series(ledger.series(name), tuple(values.get(minute) for minute in range(now + 1)))

    # The last hour tells whether traffic has moved away.
    of_events = dict.fromkeys((tier.short, tier.long, _HOUR), events)
    of_bad_events = dict(zip((tier.short, tier.long), bad, strict=True))
    return [
        written(series.EVENTS_ENTRY, days),
        *(written(f"sereno:events:{window}", {now: count}) for window, count in of_events.items()),
        *(written(f"sereno:bad_events:{window}", {now: count}) for window, count in of_bad_events.items()),
    ]
