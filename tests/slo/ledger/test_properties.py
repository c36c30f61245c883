"""Random histories, judged by the real engine: rules against plain Python (support.ledger_reference)."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from sereno_slo.duration import Duration
from sereno_slo.model import (
    Alerting,
    AlertingMode,
    BadEventsRatio,
    GoodEventsRatio,
    Indicator,
    Service,
    ServiceLevelObjective,
    Settings,
    Tier,
)
from sereno_slo.plan import RecordingRule as PlannedRule
from sereno_slo.plan import plan_service
from sereno_slo.policy import WORKBOOK_TIERS
from sereno_slo.promql import Matcher, MatchOp, Selector
from support.ledger_reference import counted_in_lives, entry, growth_while_watched, instant
from support.scrape_history import (
    BUSY,
    MINUTE_MS,
    MINUTES,
    OLD_SECONDS,
    SCRAPE_MS,
    History,
    Recorded,
    StoredTarget,
    histories,
    series_of,
    stored,
)

from benchmarks.simulation import (
    HOUR,
    Interval,
    Plan,
    RecordingRule,
    RuleGroup,
    Server,
    evaluate,
    results,
    write,
)
from benchmarks.simulation.times import Run, aligned

BEGIN_MS = 1_750_000_020_000
_JOBS = (f"job-{number}" for number in itertools.count())

EXAMPLES = settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink takes minutes; the example is printed anyway
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@dataclass(frozen=True)
class Evaluated:
    """One history in the engine, with its rules evaluated."""

    engine: Server
    job: str
    targets: tuple[StoredTarget, ...]
    minutes: tuple[int, ...]
    """When entries were made."""
    five_minutes: Run

    def recorded(self, name: str, step_ms: int, offset_ms: int = 0) -> dict[int, float]:
        """All samples of a recorded series of the whole, by time."""
        run = aligned(step_ms, offset_ms, Interval(BEGIN_MS, BEGIN_MS + MINUTES * MINUTE_MS))
        assert run is not None
        window = f"{step_ms - 1}ms"
        found = results(self.engine, f'last_over_time({name}{{service="{self.job}"}}[{window}])', run)
        assert len(found) <= 1
        return {
            int(at): float(value) for times, values in found.values() for at, value in zip(times, values, strict=True)
        }


def evaluated(engine: Server, history: History, indicator: str = "bad", phase_ms: int = 140_000) -> Evaluated:
    """The history written into the engine, and the rules of an SLO evaluated on it, alerts left out."""
    job = next(_JOBS)
    targets = tuple(stored(plan, history.outages, job=job, begin_ms=BEGIN_MS) for plan in history.targets)
    write(engine, (series for target in targets for series in series_of(target)))
    down = tuple(
        Interval(BEGIN_MS + hole.begin * MINUTE_MS, BEGIN_MS + (hole.begin + hole.length) * MINUTE_MS)
        for hole in history.outages
    )
    during = Interval(BEGIN_MS, BEGIN_MS + MINUTES * MINUTE_MS)
    groups = tuple(_groups(job, indicator))
    evaluate(engine, groups, Plan(during, phases={groups[1].name: phase_ms}, down=down))
    whole = aligned(MINUTE_MS, 0, during)
    five = aligned(5 * MINUTE_MS, phase_ms, during)
    assert whole is not None
    assert five is not None
    minutes = tuple(int(at) for at in whole.times_ms() if not any(hole.start <= at < hole.end for hole in down))
    return Evaluated(engine, job, targets, minutes, five)


def _groups(job: str, indicator: str) -> Iterator[RuleGroup]:
    total = Selector("calls_total").where(job=job)
    bad, good = total.where(code="500"), total.where(Matcher("code", MatchOp.NOT_EQUAL, "500"))
    kinds: dict[str, Indicator] = {"bad": BadEventsRatio(total, bad), "good": GoodEventsRatio(total, good)}
    alerting = Alerting(AlertingMode.BOTH, WORKBOOK_TIERS, 5, None)
    slo = ServiceLevelObjective(
        job, "calls", 99.0, Duration.parse("30d"), alerting, "team", Tier.CRITICAL, "", "x", kinds[indicator]
    )
    for group in plan_service(Service(job, "team", Tier.CRITICAL, (slo,), "x"), Settings()).groups:
        rules = tuple(
            RecordingRule(rule.record, str(rule.expr), dict(rule.labels))
            for rule in group.rules
            if isinstance(rule, PlannedRule)
        )
        yield RuleGroup(group.name, group.interval.milliseconds, rules)


def _written(history: Evaluated, codes: tuple[str, ...]) -> dict[int, float]:
    found = ((at, entry(history.targets, codes, at)) for at in history.minutes)
    return {at: value for at, value in found if value is not None}


@EXAMPLES
@given(histories(longest_gap_minutes=70))
def test_every_entry_is_what_the_ledger_says(engine: Server, history: History) -> None:
    """Whatever happens to targets and Prometheus, each minute's entries are those of the reference, value by value."""
    seen = evaluated(engine, history)
    events = _written(seen, ("200", "500"))
    bad_events = _written(seen, ("500",))
    assert seen.recorded("sereno:events:delta1m", MINUTE_MS) == events
    # Where the minute had an entry, but no error series, none was bad.
    assert seen.recorded("sereno:bad_events:delta1m", MINUTE_MS) == dict.fromkeys(events, 0.0) | bad_events


def _assert_nothing_lost(engine: Server, history: History) -> None:
    seen = evaluated(engine, history)
    for name, codes in (("events", ("200", "500")), ("bad_events", ("500",))):
        lived = sum(
            counted_in_lives(target, target.counters[code], seen.minutes) for target in seen.targets for code in codes
        )
        assert sum(seen.recorded(f"sereno:{name}:delta1m", MINUTE_MS).values()) == lived


@EXAMPLES
@given(histories(longest_gap_minutes=10, holes_each=1, hidden=False, rates=BUSY))
def test_restarts_and_gaps_lose_nothing(engine: Server, history: History) -> None:
    """Processes that restart, scrapes that fail and Prometheus being down: no event is lost or counted twice."""
    _assert_nothing_lost(engine, history)


@EXAMPLES
@given(histories(longest_gap_minutes=20, failures=False, hidden=False))
def test_restarts_of_services_that_seldom_fail_lose_nothing(engine: Server, history: History) -> None:
    """However few errors a process lives to count, and however alike it looks to the one before, each is counted."""
    _assert_nothing_lost(engine, history)


@EXAMPLES
@given(histories(longest_gap_minutes=7, holes_each=1, restarts=False, ages_seconds=OLD_SECONDS))
def test_series_that_come_and_go_lose_nothing(engine: Server, history: History) -> None:
    """A series that is gone for up to 20 minutes, with its target or alone, goes on where it was."""
    _assert_nothing_lost(engine, history)


@EXAMPLES
@given(histories(longest_gap_minutes=20))
@pytest.mark.parametrize("phase_ms", [1, 60_000, 119_999, 140_000, 299_000])
def test_roll_ups_hold_every_entry_once(engine: Server, phase_ms: int, history: History) -> None:
    """Whatever the phase of the groups and wherever Prometheus was down, roll-ups sum every entry before the last."""
    seen = evaluated(engine, history, phase_ms=phase_ms)
    for name in ("events", "bad_events"):
        roll_ups = seen.recorded(f"sereno:{name}:sum5m", 5 * MINUTE_MS, phase_ms)
        entries = seen.recorded(f"sereno:{name}:delta1m", MINUTE_MS)
        missed = seen.recorded(f"sereno:{name}:missed1m", MINUTE_MS)
        # What was entered until a minute before the last one.
        last = max(roll_ups, default=BEGIN_MS) - MINUTE_MS
        booked = (value for account in (entries, missed) for at, value in account.items() if at <= last)
        assert sum(roll_ups.values()) == sum(booked)


def _born_after_a_stop(seen: Evaluated, history: History, codes: tuple[str, ...]) -> float:
    """The first values of counters that came within the minute after Prometheus was back."""
    firsts = (
        target.counters[code].samples[0] for target in seen.targets for code in codes if target.counters[code].samples
    )
    backs = [BEGIN_MS + (hole.begin + hole.length) * MINUTE_MS for hole in history.outages]
    return sum(first.value or 0 for first in firsts if any(back <= first.time_ms <= back + MINUTE_MS for back in backs))


STEADY_TARGETS = histories(
    longest_gap_minutes=20, restarts=False, hidden=False, scrapes_fail=False, changes=False, outage_minutes=(30, 115)
)


@EXAMPLES
@given(STEADY_TARGETS)
@pytest.mark.parametrize("indicator", ["bad", "good"])
def test_an_outage_loses_nothing(engine: Server, indicator: str, history: History) -> None:
    """However Prometheus stops and starts, its roll-ups hold what was scraped before its last evaluation, too."""
    seen = evaluated(engine, history, indicator)
    entered = tuple(at for at in seen.minutes if at <= seen.five_minutes.last - MINUTE_MS)
    for name, codes in (("events", ("200", "500")), ("bad_events", ("500",))):
        scraped = sum(
            growth_while_watched(target, target.counters[code], entered) for target in seen.targets for code in codes
        )
        rolled_up = sum(seen.recorded(f"sereno:{name}:sum5m", 5 * MINUTE_MS, 140_000).values())
        # Of a series that comes right after the stop a part may be missing (docs/ledger.md, "Stops of Prometheus").
        assert scraped - _born_after_a_stop(seen, history, codes) <= rolled_up <= scraped


@EXAMPLES
@given(histories(longest_gap_minutes=70))
def test_figures_are_always_there_and_never_nan(engine: Server, history: History) -> None:
    """From the first evaluation on there is a budget, ratios lie between 0 and 1, and nothing is NaN."""
    seen = evaluated(engine, history, "good")
    budgets = seen.recorded("sereno:error_budget_remaining:ratio", 5 * MINUTE_MS, 140_000)
    running = [at for at in seen.five_minutes.times_ms() if _was_up(seen, int(at))]
    assert set(running) <= set(budgets)
    assert all(budget <= 1 for budget in budgets.values())
    for window, step in (("5m", 1), ("6h", 1), ("1d", 5), ("window", 5)):
        ratios = seen.recorded(f"sereno:error_ratio:{window}", step * MINUTE_MS, 140_000 if step == 5 else 0)
        assert all(0 <= ratio <= 1 for ratio in ratios.values())


def _was_up(seen: Evaluated, at_ms: int) -> bool:
    return any(minute <= at_ms < minute + MINUTE_MS for minute in seen.minutes)


def test_the_reference_sees_staleness() -> None:
    """A marker ends a series for instant look-ups, five minutes do so without one."""
    from support.scrape_history import Sample  # noqa: PLC0415

    series = Recorded({}, [Sample(0, 1.0, 0), Sample(SCRAPE_MS, 2.0, 0)])
    assert instant(series, SCRAPE_MS + 5 * MINUTE_MS - 1) == 2
    assert instant(series, SCRAPE_MS + 5 * MINUTE_MS) is None
    series.samples.append(Sample(2 * SCRAPE_MS, None, 0))
    assert instant(series, 2 * SCRAPE_MS) is None
    assert HOUR == 60 * MINUTE_MS
