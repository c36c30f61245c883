"""Events come at random, not evenly spread: how far what is said is from what would happen (docs/spec.md)."""

from dataclasses import replace
from statistics import median

import numpy as np
import pytest
from numpy.typing import NDArray
from sereno_slo.duration import MINUTE, Duration
from sereno_slo.model import AlertingMode, AlertSeverity, BadEventsRatio, ServiceLevelObjective
from sereno_slo.policy import outage_windows
from sereno_slo.promql import Selector
from sereno_slo.validate.feasibility import Counted, feasibility, fires, is_outage
from sereno_slo.validate.traffic import Traffic
from support.slo_services import objective

BEFORE_MINUTES, AFTER_MINUTES = 7 * 60, 8 * 60
RUNS = 40


def paged_after(slo: ServiceLevelObjective, traffic: Traffic, counter: NDArray[np.int64]) -> int:
    """The minute of the first page; `counter` counts events by half minutes, the outage begins at midnight."""
    midnight = 2 * BEFORE_MINUTES

    def counted(minute: int, window: Duration) -> Counted:
        now = midnight + 2 * minute - 1
        then = now - 2 * round(window / MINUTE)
        return Counted(int(counter[now] - counter[max(then, midnight)]), int(counter[now] - counter[then]))

    def pages(minute: int) -> bool:
        return any(is_outage(slo, counted(minute, window)) for window in outage_windows(slo.indicator)) or any(
            fires(slo, tier, counted(minute, tier.short), counted(minute, tier.long), traffic.usual)
            for tier in slo.alerting.tiers
            if tier.severity is AlertSeverity.CRITICAL
        )

    return next((minute for minute in range(1, AFTER_MINUTES) if pages(minute)), AFTER_MINUTES)


@pytest.mark.parametrize(
    ("day", "night", "mode"),
    [
        (600, 24, AlertingMode.BOTH),
        (300, 30, AlertingMode.BUDGET),
        (3_600, 120, AlertingMode.BOTH),
        (36_000, 360, AlertingMode.BOTH),
    ],
)
def test_half_of_the_outages_are_found_as_soon_as_it_is_said(day: float, night: float, mode: AlertingMode) -> None:
    """The median is what is said or less; nine of ten come within half as much again and six minutes."""
    random_ = np.random.default_rng(7)
    calls = Selector("calls_total")
    made = objective("shop", "calls", 99.9, BadEventsRatio(calls, calls.where(code="500")))
    slo = replace(made, alerting=replace(made.alerting, mode=mode, min_bad_events=10))
    by_hour = tuple(night if hour < 6 else day for hour in range(24))
    traffic = Traffic(by_hour, sum(by_hour) / 288, 168)
    said = feasibility(slo, traffic).page_by_night
    assert said is not None
    halves = np.arange(-2 * BEFORE_MINUTES, 2 * AFTER_MINUTES)
    rates = np.array([by_hour[int(half // 120) % 24] for half in halves]) / 120
    runs = [np.concatenate([[0], np.cumsum(random_.poisson(rates))]) for _ in range(RUNS)]
    found = sorted(paged_after(slo, traffic, counter) for counter in runs)
    assert median(found) <= said + 1
    assert found[RUNS * 9 // 10] <= 1.5 * said + 6
