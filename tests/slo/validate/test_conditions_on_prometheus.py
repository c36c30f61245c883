"""Conditions in numbers are the compiled ones: of random counts, and of the counts at which alerts begin to fire."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from sereno_slo import Settings
from sereno_slo.duration import FIVE_MINUTES
from sereno_slo.model import AlertingMode, BadEventsRatio, BurnTier, Service, ServiceLevelObjective, Tier
from sereno_slo.plan import AlertingRule, plan_service
from sereno_slo.policy import WORKBOOK_TIERS
from sereno_slo.promql import Selector
from sereno_slo.validate.feasibility import AlertReach, Counted, Reach, feasibility, fires, is_outage
from sereno_slo.validate.traffic import Traffic
from support.slo_services import objective

from benchmarks.simulation import MINUTE, Run, Series, Server, results, write

BEGIN = 1_750_032_000_000
COUNT = 1_500
CALLS = BadEventsRatio(Selector("calls_total"), Selector("failures_total"))
Recorded = Mapping[str, Sequence[float]]


def slo_of(name: str, objective_percent: float, mode: AlertingMode, min_bad_events: int = 5) -> ServiceLevelObjective:
    """An SLO with the usual tiers."""
    made = objective(name, "calls", objective_percent, CALLS)
    return replace(made, alerting=replace(made.alerting, mode=mode, min_bad_events=min_bad_events))


def alerts_of(slo: ServiceLevelObjective) -> dict[str, str]:
    """The expressions of the burn alerts by their long windows."""
    groups = plan_service(Service(slo.service, "team", Tier.STANDARD, (slo,), "x"), Settings()).groups
    return {
        rule.labels["long_window"]: str(rule.expr)
        for group in groups
        for rule in group.rules
        if isinstance(rule, AlertingRule) and rule.alert == "SLOErrorBudgetBurn"
    }


def fired(engine: Server, slo: ServiceLevelObjective, expr: str, recorded: Recorded) -> list[bool]:
    """At which of the instants the expression yields something; every recorded series has a value at each of them."""
    (count,) = {len(values) for values in recorded.values()}
    run = Run(BEGIN, BEGIN + (count - 1) * MINUTE, MINUTE)
    labels = {"service": slo.service, "slo": slo.name}
    write(engine, (Series({"__name__": name, **labels}, run.times_ms(), np.array(v)) for name, v in recorded.items()))
    found = {int(at) for times, _ in results(engine, expr, run).values() for at in times}
    return [int(at) in found for at in run.times_ms()]


def counts_around(random_: random.Random, of_events: float, of_usual: float) -> Counted:
    """Counts whose bad events lie near a part of the events, or near a number."""
    events = round(10 ** random_.uniform(0, 4))
    near = random_.choice((of_events * events, of_usual)) * random_.uniform(0.5, 1.7)
    return Counted(min(events, round(near) + random_.randrange(8)), events)


@pytest.mark.parametrize("mode", AlertingMode)
@pytest.mark.parametrize("tier", WORKBOOK_TIERS, ids=lambda tier: str(tier.long))
@pytest.mark.parametrize("objective_percent", [95.0, 99.9])
def test_conditions_of_tiers(engine: Server, mode: AlertingMode, tier: BurnTier, objective_percent: float) -> None:
    """`fires` says of thousands of random counts what Prometheus says of the compiled expression."""
    random_ = random.Random(f"{mode} {tier.long} {objective_percent}")
    slo = slo_of(f"random-{mode}-{tier.long}-{objective_percent:g}".replace(".", "-"), objective_percent, mode, 3)
    threshold = tier.factor(slo.window) * slo.error_budget_ratio
    usual = [10 ** random_.uniform(-1, 2) for _ in range(COUNT)]
    recorded = {"sereno:events:expected5m": usual}
    counts = {}
    for window in (tier.short, tier.long):
        slots = window / FIVE_MINUTES
        counts[window] = [counts_around(random_, threshold, threshold * slots * a) for a in usual]
        recorded[f"sereno:bad_events:{window}"] = [float(counted.bad) for counted in counts[window]]
        recorded[f"sereno:events:{window}"] = [float(counted.events) for counted in counts[window]]
    recorded[f"sereno:error_ratio:{tier.long}"] = [counted.bad / counted.events for counted in counts[tier.long]]
    said = [fires(slo, tier, *each) for each in zip(counts[tier.short], counts[tier.long], usual, strict=True)]
    assert fired(engine, slo, alerts_of(slo)[str(tier.long)], recorded) == said
    assert 30 < sum(said) < COUNT - 30


def test_condition_of_the_outage(engine: Server) -> None:
    """`is_outage` says the same as the compiled expression, of entries of one minute each."""
    random_ = random.Random(4)
    slo = slo_of("outage", 99.9, AlertingMode.BOTH)
    minutes = [round(10 ** random_.uniform(0, 2.5)) for _ in range(COUNT)]
    bad = [min(events, round(events * random_.uniform(0.4, 1.1))) for events in minutes]
    recorded = {
        "sereno:events:delta1m": list(map(float, minutes)),
        "sereno:bad_events:delta1m": list(map(float, bad)),
    }

    def over(at: int, length: int) -> Counted:
        first = max(0, at + 1 - length)
        return Counted(sum(bad[first : at + 1]), sum(minutes[first : at + 1]))

    said = [is_outage(slo, over(at, 2)) or is_outage(slo, over(at, 5)) for at in range(COUNT)]
    assert fired(engine, slo, alerts_of(slo)["2m"], recorded) == said
    assert 100 < sum(said) < COUNT - 100


TRAFFIC = Traffic(tuple(40 if hour < 6 else 900 for hour in range(24)), (40 * 6 + 900 * 18) / 288, 168)


@pytest.mark.parametrize("moment", ["day", "night"])
@pytest.mark.parametrize("mode", AlertingMode)
def test_one_failure_less_is_too_few(engine: Server, mode: AlertingMode, moment: str) -> None:
    """With the failures that a tier is said to need, all within its short window, it fires; with one less not."""
    slo = slo_of(f"fewest-{mode}-{moment}", 99.5, mode)
    for alert in feasibility(slo, TRAFFIC).alerts:
        reach = alert.by_day if moment == "day" else alert.by_night
        if alert.tier is not None and reach.is_possible:
            assert fires_with(engine, slo, alert, reach, [reach.failures, reach.failures - 1]) == [True, False]


def fires_with(
    engine: Server, slo: ServiceLevelObjective, alert: AlertReach, reach: Reach, failures: list[int]
) -> list[bool]:
    """Whether the tier's alert fires with so many failures in its windows."""
    tier = alert.tier
    assert tier is not None
    hours = TRAFFIC.busiest if reach is alert.by_day else TRAFFIC.quietest
    # What is recorded every five minutes is read ten minutes back: each count stands for fifteen.
    spread = [float(count) for count in failures for _ in range(15)]
    recorded = {
        "sereno:events:expected5m": [TRAFFIC.usual] * len(spread),
        f"sereno:error_ratio:{tier.long}": [count / reach.events for count in spread],
    }
    for window in (tier.short, tier.long):
        recorded[f"sereno:bad_events:{window}"] = spread
        recorded[f"sereno:events:{window}"] = [float(np.ceil(hours(window)))] * len(spread)
    own = replace(slo, service=f"{slo.service}-{tier.long}")
    return fired(engine, own, alerts_of(own)[str(tier.long)], recorded)[14::15]
