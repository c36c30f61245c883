"""`sereno explain` tells of calendar windows, exclusions and former names what rules record, on a real Prometheus."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sereno_backends.prometheus import PrometheusClient
from sereno_slo import Settings, SourceFile, validate_specs
from sereno_slo.duration import Duration
from sereno_slo.explain import Explanation, explain, standings
from sereno_slo.history import Reader
from sereno_slo.model import ServiceLevelObjective
from support.slo_specs import compiled, rules_of

from benchmarks.simulation import DAY, MINUTE, SECOND, Series, Server, read_rule_groups, write

# The clocks of Madrid go back on October 25th.
BEGIN = round(datetime(2026, 10, 1, tzinfo=UTC).timestamp() * 1000) + 71 * SECOND
MONDAY_IN_MADRID = round(datetime(2026, 11, 8, 23, tzinfo=UTC).timestamp() * 1000)
SLOT = 5 * MINUTE
TIMES = np.arange(BEGIN, BEGIN + 45 * DAY, SLOT, dtype=np.int64)
RENAMED_AT = 34 * 288
USUAL = 103.0

SUNDAYS = '{reason: rebuild, author: sre, weekly: {day: sunday, from: "05:00", to: "06:02", timezone: Europe/Madrid}}'
ONCE = '{reason: outage, author: ana, once: {from: "2026-11-02T04:03:00Z", to: "2026-11-02T09:01:00Z"}}'
FIRST_DAYS = '{reason: books, author: ben, cron: {schedule: "0 23 1-7,20 * *", for: 3h, timezone: Europe/Madrid}}'
DAILY = '{reason: backup, author: eve, cron: {schedule: "30 23 * * *", for: 1h, timezone: America/Bogota}}'


@dataclass(frozen=True, slots=True)
class Case:
    """What the SLO's window is, what is excluded from it, and moments since `BEGIN` at which rules were evaluated."""

    window: str
    exclusions: tuple[str, ...]
    slots: tuple[int, ...]
    delay: str = ""
    formerly: str = ""


WEEK = "{calendar: week, timezone: Europe/Madrid}"
MONDAY = (MONDAY_IN_MADRID - BEGIN) // SLOT
CASES = {
    "rolls": Case("30d", (SUNDAYS, ONCE), (36 * 288, 42 * 288 + 7), delay="2m", formerly="old-rolls/uptime"),
    # The last evaluation of a week, and the first ones of the next.
    "week": Case(WEEK, (FIRST_DAYS, ONCE), (MONDAY,), formerly="old-week/uptime"),
    "begun": Case(WEEK, (DAILY,), (MONDAY + 1, MONDAY + 3, MONDAY + 288)),
}
# Whole numbers that no sum of others is likely to make up for.
EVENTS = np.random.default_rng(4).integers(80, 120, len(TIMES)).astype(np.float64)
BAD_EVENTS = np.random.default_rng(5).integers(0, 3, len(TIMES)).astype(np.float64)


def spec_of(name: str, case: Case) -> str:
    """Its spec."""
    exclusions = "".join(f"  - {each}\n" for each in case.exclusions)
    return (
        f"version: sereno/v1\nservice: {name}\nowner: team\ntier: critical\nslos:\n"
        f"  - name: calls\n    objective: 99\n    window: {case.window}\n    alerting: {{traffic_drop: none}}\n"
        + (f"    formerly: [{case.formerly}]\n" if case.formerly else "")
        + f"    indicator: {{ratio: {{metric: calls_total, match: 'job=\"{name}\"', bad: 'code=\"500\"'}}}}\n"
        f"exclusions:\n{exclusions}"
    )


def settings_of(case: Case) -> Settings:
    """Its settings."""
    return Settings(evaluation_delay=Duration.parse(case.delay) if case.delay else None)


def slo_of(name: str, case: Case) -> ServiceLevelObjective:
    """Its only SLO."""
    (service,) = validate_specs([SourceFile("a.slo.yaml", spec_of(name, case))], settings_of(case)).services
    return service.slos[0]


def roll_ups(name: str, case: Case) -> list[Series]:
    """45 days of them; the first 34 under the former name, if there is one."""
    written = {
        "events:sum5m": EVENTS,
        "bad_events:sum5m": BAD_EVENTS,
        "coverage:sum5m": np.full(len(TIMES), 5.0),
        "ledger:evaluated5m": np.ones(len(TIMES)),
    }
    names = [(name, "calls", slice(RENAMED_AT if case.formerly else 0, None))]
    if case.formerly:
        service, _, slo = case.formerly.partition("/")
        names.append((service, slo, slice(0, RENAMED_AT)))
    return [
        Series({"__name__": f"sereno:{each}", "service": service, "slo": slo}, TIMES[part], values[part])
        for service, slo, part in names
        for each, values in written.items()
    ]


def record(server: Server, name: str, case: Case, at_ms: int) -> dict[str, float]:
    """Evaluate the rules of the SLO's own window at a moment, and record what they say.

    One by one: in a range query `@ end()` is the range's end.
    """
    slo = slo_of(name, case)
    found: dict[str, float] = {}

    def put(series: str, value: float) -> None:
        labels = {"__name__": series, "service": name, "slo": "calls"}
        write(server, [Series(labels, np.array([at_ms]), np.array([value]))])
        found[series] = value

    put("sereno:events:expected5m", USUAL)
    if slo.calendar:
        start, end = slo.calendar.around(datetime.fromtimestamp(at_ms / 1000, UTC))
        put("sereno:window_start:timestamp_seconds", start.timestamp())
        put("sereno:window_end:timestamp_seconds", end.timestamp())
    groups = read_rule_groups(rules_of(compiled(spec_of(name, case), settings_of(case))).content)
    rules = {rule.record: rule.expr for group in groups for rule in group.recording}
    for series in (
        "sereno:events:window",
        "sereno:bad_events:window",
        "sereno:error_ratio:window",
        "sereno:coverage:ratio",
        "sereno:events:planned",
        "sereno:error_budget_remaining:ratio",
        "sereno_slo_window_seconds",
    ):
        if series in rules and (answer := server.query_range(rules[series], at_ms, at_ms, MINUTE)):
            put(series, float(answer[0]["values"][0][1]))
    return found


@pytest.mark.parametrize("name", CASES)
def test_explanations_are_what_rules_record(clockwork: Server, name: str) -> None:
    """To the last event: totals, hours and days, budget, coverage; and what was left out is told."""
    case = CASES[name]
    slo = slo_of(name, case)
    write(clockwork, roll_ups(name, case))
    with PrometheusClient(clockwork.url) as client:
        reader = Reader(client, lambda: None)
        for slots in case.slots:
            at_ms = BEGIN + slots * SLOT
            recorded = record(clockwork, name, case, at_ms)
            at = datetime.fromtimestamp(at_ms / 1000, UTC) + timedelta(minutes=1)
            found = explain(reader, slo, settings_of(case), at=at, thresholds=(2.0,))
            agrees(found, recorded)
            is_whole(found, at_ms)
            (standing,) = standings(reader, [slo], at)
            assert standing.remaining_ratio == recorded.get("sereno:error_budget_remaining:ratio")
            assert standing.notes == ()
            if slots == case.slots[-1]:
                assert [one.author for one in found.excluded] == [exclusion.author for exclusion in slo.exclusions]


def is_whole(found: Explanation, at_ms: int) -> None:
    """What counts and what is excluded are together all that was rolled up in the window."""
    start_ms = round(found.window_start.timestamp() * 1000) + SLOT * (found.window_end is not None)
    lasting = (start_ms < TIMES) & (at_ms >= TIMES)
    assert found.budget.events + sum(one.events for one in found.excluded) == EVENTS[lasting].sum()
    assert found.budget.bad_events + sum(one.bad_events for one in found.excluded) == BAD_EVENTS[lasting].sum()


def agrees(found: Explanation, recorded: dict[str, float]) -> None:
    """With the rules, and with itself."""
    budget = found.budget
    assert budget.events == recorded.get("sereno:events:window", 0)
    assert budget.bad_events == recorded.get("sereno:bad_events:window", 0)
    for parts in (found.hours, found.days):
        assert sum(part.events for part in parts) == pytest.approx(budget.events)
        assert sum(part.bad_events for part in parts) == pytest.approx(budget.bad_events)
    if "sereno:error_budget_remaining:ratio" in recorded:
        assert budget.recorded_remaining_ratio == pytest.approx(budget.remaining_ratio, abs=1e-9)
        assert found.coverage.ratio == pytest.approx(recorded["sereno:coverage:ratio"], abs=1e-9)
        assert found.notes == ()
    recovery = found.rolling_out.recoveries[-1]
    end = found.window_end
    assert found.rolling_out.whole_again_at == end
    if end is None:
        assert recovery.at is None
    else:
        assert budget.planned_events == pytest.approx(recorded.get("sereno:events:planned", budget.planned_events))
        assert found.rolling_out.leaving == ()
        assert all(
            forecast.remaining_ratio == (1 if forecast.at >= end else pytest.approx(budget.remaining_ratio))
            for forecast in found.rolling_out.forecasts
        )


NEXT_WEEK = '{reason: a, author: b, once: {from: "2026-11-15T00:00:00Z", to: "2026-11-20T00:00:00Z"}}'


def test_a_forecast_knows_what_will_be_excluded(clockwork: Server) -> None:
    """Time to come that is excluded brings no events: of three days here only the first."""
    name, case, now_ms = "ahead", Case("30d", (NEXT_WEEK,), ()), BEGIN + 44 * DAY
    write(clockwork, roll_ups(name, case))
    at = datetime.fromtimestamp(now_ms / 1000 + 60, UTC)
    with PrometheusClient(clockwork.url) as client:
        found = explain(Reader(client, lambda: None), slo_of(name, case), Settings(), at=at)
    assert found.excluded == ()
    by_horizon = {str(each.after): each.remaining_ratio for each in found.rolling_out.forecasts}
    stays = (now_ms - 27 * DAY < TIMES) & (now_ms >= TIMES)
    comes = (now_ms - 7 * DAY < TIMES) & (now_ms - 6 * DAY >= TIMES)
    events = EVENTS[stays].sum() + EVENTS[comes].sum()
    assert by_horizon["3d"] == pytest.approx(1 - BAD_EVENTS[stays].sum() / events / 0.01, abs=1e-3)
