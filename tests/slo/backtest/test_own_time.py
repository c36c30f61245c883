"""Calendar windows and exclusions in a backtest: the same minutes count as in the compiled rules."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from sereno_slo import Settings
from sereno_slo.backtest.arrays import Array
from sereno_slo.backtest.entries import Entries
from sereno_slo.backtest.firing import Replayed, replayed
from sereno_slo.calendars import CalendarUnit, CalendarWindow, Days, Exclusion, Once, Recurring
from sereno_slo.model import AlertSeverity, ServiceLevelObjective
from sereno_slo.plan import RecordingRule as PlannedRule
from sereno_slo.plan import plan_slo, series

from benchmarks.simulation import (
    DAY,
    MINUTE,
    SECOND,
    Interval,
    Plan,
    RecordingRule,
    RuleGroup,
    Series,
    Server,
    evaluate,
    write,
)

_PHASE = 17 * SECOND
"""As the engine evaluates: hardly ever at a whole minute, where a step of its subqueries would see the next entry."""
_ORIGIN = round(datetime(2026, 10, 22, tzinfo=UTC).timestamp() * 1000) + _PHASE
"""A Thursday; on the Sunday after it the clocks of Madrid go back."""
_DAYS = 12
_MINUTES = _DAYS * 1440
SUNDAYS = Exclusion("", "", Recurring((5 * 3600,), 3600, Days(frozenset((0,))), "Europe/Madrid"), "")
ONCE = Exclusion("", "", Once(_ORIGIN / 1000 + 5 * 86_400, _ORIGIN / 1000 + 5 * 86_400 + 1800), "")
EXCLUDED = slice(3 * 1440 + 4 * 60, 3 * 1440 + 5 * 60)
"""Sunday from five to six in Madrid, in minutes."""


def past(fails: slice) -> Entries:
    """A hundred events a minute, of which one fails every ten minutes, and all of them for some time."""
    events = np.full(_MINUTES, 100.0)
    bad = np.where(np.arange(_MINUTES) % 10 == 0, 1.0, 0.0)
    bad[fails] = 100.0
    nothing, one = np.full(_MINUTES, np.nan), np.ones(_MINUTES)
    return Entries(_ORIGIN, events, bad, one, (nothing, nothing), one, one, np.ones(_MINUTES, dtype=np.bool_))


def pages(replay: Replayed) -> Array:
    """Minutes in which anything pages."""
    firing = [alert.firing for alert in replay.alerts if alert.severity == AlertSeverity.CRITICAL]
    return np.flatnonzero(np.any(firing, axis=0)).astype(np.float64)


def test_what_is_excluded_pages_nobody_and_costs_nothing(slo: ServiceLevelObjective) -> None:
    """An outage of an excluded hour; without the exclusion it pages and spends the budget."""
    entries = past(EXCLUDED)
    without = replayed(slo, Settings(), entries)
    with_it = replayed(replace(slo, exclusions=(SUNDAYS, ONCE)), Settings(), entries)
    assert len(pages(without)) > 60
    assert len(pages(with_it)) == 0
    remaining = [replay.samples.series[series.BUDGET_REMAINING][-5] for replay in (without, with_it)]
    assert remaining[0] < remaining[1] - 0.3


@pytest.mark.parametrize("window", ["1h", "6h", "1d", "window"])
def test_sums_without_what_is_excluded_are_those_of_the_engine(
    server: Server, slo: ServiceLevelObjective, window: str
) -> None:
    """The compiled rules, evaluated by a real Prometheus over the same entries, at each evaluation."""
    excluding = replace(slo, name=f"excluding-{window}", exclusions=(SUNDAYS, ONCE))
    mine = replayed(excluding, Settings(), past(EXCLUDED)).samples.series
    labels = {"service": excluding.service, "slo": excluding.name}
    moments = _ORIGIN + MINUTE * np.arange(_MINUTES, dtype=np.int64)
    # What the interpreter made of the entries before anything was left out.
    whole = replayed(slo, Settings(), past(EXCLUDED)).samples.series
    for name in (series.BAD_EVENTS_ENTRY, series.BAD_EVENTS_ROLL_UP):
        there = ~np.isnan(whole[name])
        write(server, [Series({"__name__": name, **labels}, moments[there], whole[name][there])])
    every_minute, every_slot = plan_slo(excluding, Settings())
    planned = every_minute if window in ("1h", "6h") else every_slot
    name = f"sereno:bad_events:{window}"
    rules = tuple(
        RecordingRule(rule.record, str(rule.expr), rule.labels)
        for rule in planned.rules
        if isinstance(rule, PlannedRule) and rule.record == name
    )
    step = planned.interval.milliseconds
    during = Interval(_ORIGIN + 2 * DAY, _ORIGIN + 7 * DAY)
    evaluate(server, [RuleGroup(name, step, rules)], Plan(during, {name: _PHASE}))
    selector = f'{name}{{service="{excluding.service}", slo="{excluding.name}"}}'
    (found,) = server.query_range(selector, _ORIGIN + 2 * DAY, _ORIGIN + 7 * DAY - step, step)
    theirs = {round(1000 * time - _ORIGIN) // MINUTE: float(value) for time, value in found["values"]}
    assert len(theirs) == 5 * DAY // step
    different = {minute: value for minute, value in theirs.items() if value != mine[name][minute]}
    assert different == {}


def test_a_month_begins_anew(slo: ServiceLevelObjective) -> None:
    """What failed in October is not November's; the budget is a part of the whole month."""
    monthly = replace(slo, calendar=CalendarWindow(CalendarUnit.MONTH, "Europe/Madrid"))
    recorded = replayed(monthly, Settings(), past(slice(8 * 1440, 8 * 1440 + 30))).samples.series
    midnight = 10 * 1440 - 60
    assert recorded["sereno:bad_events:window"][midnight - 5] > 3000
    assert np.isnan(recorded["sereno:events:window"][midnight])
    assert recorded["sereno:events:window"][midnight + 5] == 500
    hours = recorded["sereno:events:window"][midnight + 1440] / 6000
    assert hours == pytest.approx(24, abs=0.1)
    planned = recorded[series.EVENTS_PLANNED][midnight + 1440]
    assert planned == pytest.approx(30 * 1440 * 100, rel=0.01)
    bad = recorded["sereno:bad_events:window"][midnight + 1440]
    left = recorded[series.BUDGET_REMAINING][midnight + 1440]
    assert left == pytest.approx(1 - bad / planned / slo.error_budget_ratio)
