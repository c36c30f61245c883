"""What PromQL computes of clocks, windows and exclusions is what Python's own calendar says, on a real Prometheus."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from cronsim import CronSim
from sereno_slo import Settings, SourceFile, validate_specs
from sereno_slo.calendars import (
    CalendarUnit,
    CalendarWindow,
    Days,
    Exclusion,
    NoRule,
    Once,
    Recurring,
    Schedule,
    zone_info,
    zone_names,
    zone_rule,
)
from sereno_slo.model import Probe
from sereno_slo.plan import clock, series
from sereno_slo.plan.series import Ledger
from sereno_slo.plan.windows import window_rules
from sereno_slo.promql import Expr, Selector
from support.slo_services import objective
from support.slo_specs import spec_text

from benchmarks.simulation import HOUR, MINUTE, Interval, Plan, RecordingRule, RuleGroup, Server, evaluate

BEGIN = datetime(2026, 9, 1, tzinfo=UTC)
END = datetime(2028, 5, 1, tzinfo=UTC)
YEAR_LATER = datetime(2027, 9, 1, tzinfo=UTC)
MOST_STEPS = 10_000
PROBE = Probe(Selector("probe_success").where(job="test"))


def milliseconds(moment: datetime) -> int:
    """Since 1970."""
    return round(moment.timestamp() * 1000)


def computed(server: Server, expr: Expr, begin: datetime, end: datetime, step_ms: int) -> dict[int, float]:
    """An expression's only series, by seconds since 1970."""
    found: dict[int, float] = {}
    first, last = milliseconds(begin), milliseconds(end)
    for piece in range(first, last + 1, MOST_STEPS * step_ms):
        stop = min(piece + (MOST_STEPS - 1) * step_ms, last)
        (series,) = server.query_range(str(expr), piece, stop, step_ms)
        found |= {round(time): float(value) for time, value in series["values"]}
    assert len(found) == (last - first) // step_ms + 1
    return found


def differences(found: dict[int, float], expected: Callable[[datetime], float]) -> list[str]:
    """Moments at which the two differ."""
    moments = ((datetime.fromtimestamp(seconds, UTC), value) for seconds, value in found.items())
    return [f"{moment}: {value} != {expected(moment)}" for moment, value in moments if value != expected(moment)]


def distinct_rules() -> list[str]:
    """One zone for each rule that zones have."""
    by_rule: dict[object, str] = {}
    for name in sorted(zone_names()):
        try:
            zone = zone_rule(name)
        except NoRule:
            continue
        rule = (zone.standard_seconds, zone.summer_seconds, zone.summer_begins, zone.summer_ends)
        if zone.summer_begins is not None or zone.standard_seconds % 3600:
            by_rule.setdefault(rule, name)
    return [*sorted(by_rule.values()), "UTC", "America/Bogota", "Asia/Tokyo"]


def shown_by(info: ZoneInfo, moment: datetime) -> float:
    """What a wall shows, as seconds since its own 1970."""
    return moment.astimezone(info).replace(tzinfo=UTC).timestamp()


def test_walls_show_what_the_time_zone_database_says(clockwork: Server) -> None:
    """Every rule of the database, every two hours of a year."""
    for name in distinct_rules():
        found = computed(clockwork, clock.wall_clock(name), BEGIN, YEAR_LATER, 2 * HOUR)
        assert differences(found, partial(shown_by, zone_info(name)))[:3] == [], name


@pytest.mark.parametrize("timezone", ["Europe/Madrid", "America/Bogota", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("unit", list(CalendarUnit))
def test_calendar_windows_begin_and_end_when_people_say(clockwork: Server, unit: CalendarUnit, timezone: str) -> None:
    """Also where the clocks change within the window; by the very rules that specs compile to."""
    window = CalendarWindow(unit, timezone)
    slo = replace(objective(f"{unit}-{timezone}".lower(), "calls", 99.0, PROBE), calendar=window)
    rules = [RecordingRule(rule.record, str(rule.expr), rule.labels) for rule in window_rules(slo, Ledger.of(slo))]
    # Evaluated every five hours: a look-up reaches back for five minutes only, to the evaluation itself.
    group = RuleGroup(slo.service, 5 * HOUR, tuple(rules))
    evaluate(clockwork, [group], Plan(Interval(milliseconds(BEGIN), milliseconds(END))))
    first = milliseconds(BEGIN) - milliseconds(BEGIN) % (5 * HOUR) + 5 * HOUR
    for name, which in ((series.WINDOW_START, 0), (series.WINDOW_END, 1)):
        (found,) = clockwork.query_range(str(Ledger.of(slo).series(name)), first, milliseconds(END), 5 * HOUR)
        values = {round(time): float(value) for time, value in found["values"]}
        assert len(values) > 2800
        assert differences(values, partial(end_of, window, which))[:3] == []


def end_of(window: CalendarWindow, which: int, moment: datetime) -> float:
    """The beginning (0) or the end (1) of the window that holds a moment."""
    return window.around(moment)[which].timestamp()


def excluded(schedule: Schedule) -> Exclusion:
    """An exclusion by the name of nobody."""
    return Exclusion("test", "test", schedule, "")


HOURS = 3600
SCHEDULES: dict[str, Schedule] = {
    "once": Once(BEGIN.timestamp() + 1000, BEGIN.timestamp() + 900_000),
    "sundays": Recurring((2 * HOURS,), HOURS, Days(frozenset((0,))), "Europe/Madrid"),
    "over midnight": Recurring((23 * HOURS,), 2 * HOURS, Days(frozenset((6, 3))), "America/New_York"),
    "daily": Recurring((0, 30 * 60), 3600, Days(), "Australia/Sydney"),
    "first days": Recurring((22 * HOURS,), 30 * HOURS, Days(None, frozenset((1, 2, 3, 31))), "America/Bogota"),
    "first days or mondays": Recurring(
        (3 * HOURS,), HOURS, Days(frozenset((1,)), frozenset((1, 15)), None, either=True), "UTC"
    ),
    "mondays of winter": Recurring((0,), HOURS, Days(frozenset((1,)), None, frozenset((12, 1, 2))), "Europe/London"),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_exclusions_hold_when_the_wall_says_so(clockwork: Server, name: str) -> None:
    """The same minutes in PromQL and in Python, clocks that change and days that overlap among them."""
    expr = clock.counting([excluded(SCHEDULES[name])])
    assert expr is not None
    found = computed(clockwork, expr, BEGIN, datetime(2027, 5, 1, tzinfo=UTC), 15 * MINUTE)
    schedule = SCHEDULES[name]
    assert differences(found, lambda moment: float(not schedule.covers(moment.timestamp())))[:3] == []
    assert 0 < np.mean(list(found.values())) < 1


def test_stretches_are_what_is_covered() -> None:
    """`between` and `covers` of one schedule tell the same."""
    schedule, begin = SCHEDULES["over midnight"], BEGIN.timestamp()
    covered = {second for second in range(round(begin), round(begin) + 14 * 86_400, 60) if schedule.covers(second)}
    stretches = list(schedule.between(begin, begin + 14 * 86_400))
    assert {second for start, end in stretches for second in range(round(start), round(end), 60)} == covered
    assert len(stretches) == 4


@pytest.mark.parametrize("line", ["0 1 1-31 * 0", "0 1 15 * 0-6", "0 1 * * *", "0 1 15 * 1,2", "30 22 * 6-8 5"])
def test_cron_lines_mean_what_cron_means(line: str) -> None:
    """A day of the month and one of the week are either of them, also where one list holds every day."""
    text = spec_text(spec=f'exclusions: [{{reason: x, author: y, cron: {{schedule: "{line}", for: 1h}}}}]\n')
    (service,) = validate_specs([SourceFile("api.slo.yaml", text)], Settings()).services
    (exclusion,) = service.slos[0].exclusions
    begin = datetime(2026, 6, 1, tzinfo=UTC)
    starts = [moment.timestamp() for moment in itertools.islice(CronSim(line, begin), 40)]
    mine = [start for start, _ in exclusion.schedule.between(begin.timestamp(), starts[-1] + 60)]
    assert mine == starts
