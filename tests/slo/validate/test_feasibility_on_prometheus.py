"""What alerts are said to need is what the compiled rules need, on a real Prometheus, minute by minute."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
from sereno_slo import Settings
from sereno_slo.duration import Duration
from sereno_slo.model import (
    AlertingMode,
    AlertSeverity,
    BadEventsRatio,
    BurnTier,
    Probe,
    Service,
    ServiceLevelObjective,
    Tier,
)
from sereno_slo.plan import AlertingRule, plan_service
from sereno_slo.plan import RecordingRule as PlannedRule
from sereno_slo.policy import WORKBOOK_TIERS
from sereno_slo.promql import Selector
from sereno_slo.validate.feasibility import feasibility
from sereno_slo.validate.traffic import Traffic
from support.slo_services import objective

from benchmarks.simulation import (
    HOUR,
    MINUTE,
    SECOND,
    Interval,
    Plan,
    RecordingRule,
    RuleGroup,
    Run,
    Series,
    Server,
    evaluate,
    results,
    write,
)

MIDNIGHT = 1_750_032_000_000
BEFORE_HOURS, OUTAGE_HOURS = 26, 7
EXPECTED = "sereno:events:expected5m"
TIERS = (*WORKBOOK_TIERS[:2], BurnTier(0.1, Duration.parse("1d"), Duration.parse("2h"), AlertSeverity.CRITICAL, "slow"))


def quiet_nights(day: float, night: float) -> Traffic:
    """From 22:00 to 5:00 UTC it is night."""
    by_hour = tuple(night if hour < 5 or hour >= 22 else day for hour in range(24))
    return Traffic(by_hour, sum(by_hour) / 288, 168)


@dataclass(frozen=True)
class Case:
    """An SLO and its traffic."""

    name: str
    objective_percent: float
    mode: AlertingMode
    traffic: Traffic
    delay: str = ""
    min_bad_events: int = 5
    is_probe: bool = False

    def slo(self) -> ServiceLevelObjective:
        """The SLO; its service is named after the case."""
        calls = Selector("calls_total").where(job=self.name)
        failures = Selector("failures_total").where(job=self.name)
        indicator = Probe(Selector("probe_success").where(job=self.name)) if self.is_probe else None
        made = objective(self.name, "calls", self.objective_percent, indicator or BadEventsRatio(calls, failures))
        alerting = replace(made.alerting, mode=self.mode, tiers=TIERS, min_bad_events=self.min_bad_events)
        return replace(made, alerting=alerting)

    def settings(self) -> Settings:
        """With the case's delay."""
        return Settings(evaluation_delay=Duration.parse(self.delay) if self.delay else None)


CASES = [
    Case("quiet-both", 99.9, AlertingMode.BOTH, quiet_nights(300, 10)),
    Case("quiet-budget", 99.0, AlertingMode.BUDGET, quiet_nights(3_600, 100)),
    Case("busy-both", 99.9, AlertingMode.BOTH, quiet_nights(36_000, 360)),
    Case("busy-ratio", 99.5, AlertingMode.RATIO, quiet_nights(7_200, 720)),
    Case("delayed", 99.9, AlertingMode.BUDGET, quiet_nights(600, 60), delay="2m"),
    Case("few-suffice", 99.0, AlertingMode.BOTH, quiet_nights(60, 13), min_bad_events=2),
    Case("probe", 99.9, AlertingMode.BOTH, Traffic((60.0,) * 24, 5.0, 168), is_probe=True),
]


def counted_until(traffic: Traffic, minute: float) -> int:
    """The events from midnight on, one hour after the other; before it, below zero."""
    total, hour = 0.0, 0
    while minute >= 60:
        total, hour, minute = total + traffic.by_hour[hour % 24], hour + 1, minute - 60
    while minute < 0:
        hour, minute = hour - 1, minute + 60
        total -= traffic.by_hour[hour % 24]
    return math.floor(total + traffic.by_hour[hour % 24] * minute / 60 + 1e-6)


def scraped(case: Case, begin_ms: int, end_ms: int, outage_ms: int) -> Iterator[Series]:
    """What is scraped every 30 s, just after each half minute; from `outage_ms` on everything fails."""
    times = np.arange(begin_ms + 1, end_ms, 30 * SECOND, dtype=np.int64)
    target = {"job": case.name, "instance": "a:1"}
    is_out = times > outage_ms
    yield Series({"__name__": "up", **target}, times, np.ones(len(times)))
    yield Series({"__name__": "process_start_time_seconds", **target}, times, np.full(len(times), 1e9))
    if case.is_probe:
        yield Series({"__name__": "probe_success", **target}, times, np.where(is_out, 0.0, 1.0))
        return
    calls = np.array([counted_until(case.traffic, float(at - MIDNIGHT) / MINUTE) for at in times], dtype=np.float64)
    before = counted_until(case.traffic, (outage_ms - MIDNIGHT) / MINUTE)
    yield Series({"__name__": "calls_total", **target}, times, calls + 1_000_000)
    # Born with the first failure.
    failures = calls - before
    failed = is_out & (failures > 0)
    yield Series({"__name__": "failures_total", **target}, times[failed], failures[failed])


def first_minutes(engine: Server, case: Case, outage_hour: int) -> dict[str, int]:
    """After how many minutes of a full outage each alert fires first, by its long window; those that fire in time."""
    slo = case.slo()
    outage_ms = MIDNIGHT + outage_hour * HOUR
    during = Interval(outage_ms - BEFORE_HOURS * HOUR, outage_ms + OUTAGE_HOURS * HOUR + 1)
    write(engine, scraped(case, during.start, during.end, outage_ms))
    labels = {"__name__": EXPECTED, "service": slo.service, "slo": slo.name}
    usual_times = np.arange(during.start, during.end, 5 * MINUTE, dtype=np.int64)
    write(engine, [Series(labels, usual_times, np.full(len(usual_times), case.traffic.usual))])
    alerts, groups = planned(slo, case.settings())
    wanted = {name for alert in alerts for name in re.findall(r"sereno:[a-z_0-9:]+", str(alert.expr))} - {EXPECTED}
    # Roll-ups a second after the minute: the alerts of that very minute don't see them.
    evaluate(engine, groups, Plan(during, phases={groups[1].name: SECOND}, wanted=wanted))
    found = {}
    for alert in alerts:
        run = Run(during.start, outage_ms + OUTAGE_HOURS * HOUR, MINUTE)
        fired = [int(times[0]) for times, _ in results(engine, str(alert.expr), run).values()]
        if fired:
            found[alert.labels["long_window"]] = (min(fired) - outage_ms) // MINUTE
    return found


def planned(slo: ServiceLevelObjective, settings: Settings) -> tuple[list[AlertingRule], list[RuleGroup]]:
    """The burn alerts, and the recording rules as the simulation takes them."""
    groups = plan_service(Service(slo.service, "team", Tier.STANDARD, (slo,), "x"), settings).groups
    alerts = [
        rule
        for group in groups
        for rule in group.rules
        if isinstance(rule, AlertingRule) and rule.alert == "SLOErrorBudgetBurn"
    ]
    recording = [
        RuleGroup(
            group.name,
            group.interval.milliseconds,
            tuple(
                RecordingRule(rule.record, str(rule.expr), dict(rule.labels))
                for rule in group.rules
                if isinstance(rule, PlannedRule)
            ),
        )
        for group in groups
    ]
    return alerts, recording


@pytest.mark.parametrize("moment", ["day", "night"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_full_outage_is_found_when_it_is_said(engine: Server, case: Case, moment: str) -> None:
    """Each alert fires in the very minute that is computed, at peak and in the quietest hour."""
    case = replace(case, name=f"{case.name}-{moment}")
    slo, settings = case.slo(), case.settings()
    feasible = feasibility(slo, case.traffic, settings.evaluation_delay)
    hour = case.traffic.day if moment == "day" else case.traffic.night
    reaches = {
        "2m" if alert.tier is None else str(alert.tier.long): alert.by_day if moment == "day" else alert.by_night
        for alert in feasible.alerts
    }
    if case.is_probe:
        reaches["5m"] = reaches.pop("2m")
    said = {long: reach.outage_minutes for long, reach in reaches.items()}
    in_time = {long: at for long, at in said.items() if at is not None and at <= OUTAGE_HOURS * 60}
    assert first_minutes(engine, case, hour) == in_time
