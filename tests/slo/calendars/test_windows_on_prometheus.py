"""What counts of a window, on a real Prometheus: not what is excluded, not last month, but what had another name."""

from datetime import UTC, datetime

import numpy as np
import pytest
from sereno_slo import Settings
from sereno_slo.duration import Duration
from support.slo_specs import compiled, rules_of

from benchmarks.simulation import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    AlertingRule,
    Interval,
    Plan,
    RuleGroup,
    Run,
    Series,
    Server,
    evaluate,
    read_rule_groups,
    results,
    write,
)

# The clocks of Madrid go back on the Sunday between.
BEGIN = round(datetime(2026, 10, 24, tzinfo=UTC).timestamp() * 1000)
END = BEGIN + 2 * DAY
EXCLUDED = (BEGIN + DAY + 4 * HOUR, BEGIN + DAY + 5 * HOUR)
"""Sunday from five to six in Madrid."""
BAD_BEFORE = (EXCLUDED[0] - 30 * MINUTE, EXCLUDED[0] - 20 * MINUTE)
PER_SCRAPE = 10
FIRST_PHASES = {":1m": 17 * SECOND, ":5m": 71 * SECOND}

SUNDAYS = '{reason: rebuild, author: sre, weekly: {day: sunday, from: "05:00", to: "06:00", timezone: Europe/Madrid}}'
THAT_DAY = '{reason: outage, author: sre, once: {from: "2026-10-25T04:00:00Z", to: "2026-10-25T05:00:00Z"}}'
FIRST_SUNDAYS_AND_LAST = (
    '{reason: both, author: sre, cron: {schedule: "0 5 25-31 * *", for: 1h, timezone: Europe/Madrid}}'
)


def groups_of(service: str, *, exclusion: str = "", slo: str = "", delay: str = "") -> tuple[RuleGroup, ...]:
    """The compiled rules of a service with one SLO over 30 days."""
    text = (
        f"version: sereno/v1\nservice: {service}\nowner: team\ntier: critical\nslos:\n"
        f"  - name: calls\n    objective: 99\n    alerting: {{traffic_drop: none}}\n{slo}"
        f"    indicator: {{ratio: {{metric: calls_total, match: 'job=\"{service}\"', bad: 'code=\"500\"'}}}}\n"
    )
    text += f"exclusions:\n  - {exclusion}\n" if exclusion else ""
    settings = Settings(evaluation_delay=Duration.parse(delay) if delay else None)
    return read_rule_groups(rules_of(compiled(text, settings)).content)


def calls(service: str) -> list[Series]:
    """Scraped every 30 s; all calls fail while they are excluded, and half an hour before."""
    times = np.arange(BEGIN + 11 * SECOND, END, 30 * SECOND, dtype=np.int64)
    target = {"job": service, "instance": "a:1"}
    fail = np.zeros(len(times), dtype=np.bool_)
    for begin, end in (EXCLUDED, BAD_BEFORE):
        # What happens until the end is scraped up to half a minute later.
        fail |= (times > begin) & (times <= end + 11 * SECOND)
    counts = {"500": np.cumsum(fail * float(PER_SCRAPE)), "200": np.cumsum(~fail * float(PER_SCRAPE))}
    up = np.ones(len(times))
    series = [Series({"__name__": "calls_total", **target, "code": code}, times, each) for code, each in counts.items()]
    started = Series({"__name__": "process_start_time_seconds", **target}, times, up * (BEGIN / 1000 - 1e6))
    return [*series, started, Series({"__name__": "up", **target}, times, up)]


FAILED_BEFORE, FAILED_WITHIN = 21 * PER_SCRAPE, 121 * PER_SCRAPE


def evaluated(server: Server, groups: tuple[RuleGroup, ...]) -> None:
    """Record everything from the tenth minute on."""
    phases = {group.name: FIRST_PHASES[group.name[-3:]] for group in groups}
    evaluate(server, groups, Plan(Interval(BEGIN + 10 * MINUTE, END), phases))


def value(server: Server, expr: str, at_ms: int) -> float:
    """Of an expression's only series."""
    (found,) = server.query_range(expr, at_ms, at_ms, MINUTE)
    return float(found["values"][0][1])


def recorded(server: Server, service: str, name: str, at_ms: int) -> float:
    """Of a recorded series."""
    return value(server, f'last_over_time({name}{{service="{service}", slo="calls"}}[10m])', at_ms)


def outage_minutes(server: Server, groups: tuple[RuleGroup, ...]) -> list[int]:
    """When the outage alert holds, in minutes after the exclusion's beginning."""
    (rule,) = (
        rule
        for group in groups
        for rule in group.rules
        if isinstance(rule, AlertingRule) and rule.labels.get("burn") == "outage"
    )
    run = Run(EXCLUDED[0] - HOUR + 17 * SECOND, EXCLUDED[1] + HOUR + 17 * SECOND, MINUTE)
    times = {time for samples, _ in results(server, rule.expr, run).values() for time in samples.tolist()}
    return sorted((time - EXCLUDED[0]) // MINUTE for time in times)


@pytest.mark.parametrize(
    ("service", "exclusion", "delay"),
    [
        ("weekly", SUNDAYS, ""),
        ("once", THAT_DAY, "2m"),
        ("cron", FIRST_SUNDAYS_AND_LAST, ""),
    ],
)
def test_excluded_time_counts_nowhere(clockwork: Server, service: str, exclusion: str, delay: str) -> None:
    """Not one failure of it, in no window, and no page; of the time around it hardly anything is left out."""
    groups = groups_of(service, exclusion=exclusion, delay=delay)
    write(clockwork, calls(service))
    evaluated(clockwork, groups)
    after = EXCLUDED[1] + 15 * MINUTE
    for window in ("1h", "2h", "6h", "1d", "window"):
        failed = 0 if window == "1h" else FAILED_BEFORE
        assert recorded(clockwork, service, f"sereno:bad_events:{window}", after) == failed, window
    # The hour itself, and up to ten minutes before and after it; rules began after ten minutes, roll-ups are five late.
    left_out = 2 * DAY / (30 * SECOND) - recorded(clockwork, service, "sereno:events:window", END) / PER_SCRAPE
    assert 2 * 60 <= left_out - 2 * 15 <= 2 * (60 + 10 + 10)
    remaining = 1 - FAILED_BEFORE / recorded(clockwork, service, "sereno:events:window", END) / 0.01
    assert recorded(clockwork, service, "sereno:error_budget_remaining:ratio", END) == pytest.approx(remaining)
    out = outage_minutes(clockwork, groups)
    assert out, "the outage before the exclusion pages"
    assert max(out) < 0
    # Of 30 days two were seen, but for the first ten minutes; what is excluded counts as seen.
    seen = recorded(clockwork, service, "sereno:coverage:ratio", END) * 30 * 24 * 60
    assert seen == pytest.approx(2 * 24 * 60 - 10, abs=10)
    excluded = f'sereno:excluded:bool{{service="{service}"}}'
    assert value(clockwork, excluded, EXCLUDED[0] + 2 * MINUTE) == 1
    assert value(clockwork, excluded, EXCLUDED[1] + 2 * MINUTE) == 0


def test_an_exclusion_holds_for_the_past_as_soon_as_it_is_written(clockwork: Server) -> None:
    """Rules without it recorded the hour; rules with it, evaluated for the first time a day later, leave it out."""
    service = "afterwards"
    write(clockwork, calls(service))
    before = groups_of(service)
    evaluated(clockwork, before)
    assert max(outage_minutes(clockwork, before)) > 30
    assert recorded(clockwork, service, "sereno:bad_events:window", END) == FAILED_BEFORE + FAILED_WITHIN
    _, every_five_minutes = groups_of(service, exclusion=THAT_DAY)
    (rule,) = (rule for rule in every_five_minutes.recording if rule.record == "sereno:bad_events:window")
    assert value(clockwork, rule.expr, END + 71 * SECOND) == FAILED_BEFORE


def test_what_was_slots_under_a_former_name_counts(clockwork: Server) -> None:
    """A day as orders/uptime, then a day as renamed/calls: the window holds both."""
    times = np.arange(BEGIN + 71 * SECOND, END, 5 * MINUTE, dtype=np.int64)
    for name, days in (
        ({"service": "orders", "slo": "uptime"}, slice(0, 288)),
        (
            {"service": "renamed", "slo": "calls"},
            slice(288, None),
        ),
    ):
        for series, each in (("sereno:events:sum5m", 100.0), ("sereno:bad_events:sum5m", 1.0)):
            write(clockwork, [Series({"__name__": series, **name}, times[days], np.full(len(times[days]), each))])
    _, group = groups_of("renamed", slo="    formerly: [orders/uptime]\n")
    sums = {
        rule.record: value(clockwork, rule.expr, END)
        for rule in group.recording
        if rule.record.endswith("events:window")
    }
    assert sums == {"sereno:events:window": 576 * 100, "sereno:bad_events:window": 576}


@pytest.mark.parametrize(
    ("timezone", "start"),
    [
        ("Europe/Madrid", datetime(2026, 10, 31, 23, tzinfo=UTC)),
        ("America/Bogota", datetime(2026, 11, 1, 5, tzinfo=UTC)),
    ],
)
def test_a_month_begins_with_the_whole_budget(clockwork: Server, timezone: str, start: datetime) -> None:
    """What failed before midnight of the first is another month's; the budget is a part of the whole month's events."""
    service, first = f"month-{timezone.rpartition('/')[2].lower()}", round(start.timestamp() * 1000)
    labels = {"service": service, "slo": "calls"}
    begin, end = first - 3 * DAY + 71 * SECOND, first + 10 * DAY
    times = np.arange(begin, end, 5 * MINUTE, dtype=np.int64)
    written = {"events:sum5m": 100.0, "bad_events:sum5m": 1.0, "coverage:sum5m": 5.0}
    write(
        clockwork,
        [
            Series({"__name__": f"sereno:{name}", **labels}, times, np.full(len(times), each))
            for name, each in written.items()
        ],
    )
    group = groups_of(service, slo=f"    window: {{calendar: month, timezone: {timezone}}}\n")[1]
    wanted = {"sereno:window_start:timestamp_seconds", "sereno:window_end:timestamp_seconds"}
    evaluate(clockwork, [group], Plan(Interval(begin, end), {group.name: 71 * SECOND}, wanted=wanted))
    usual = Series({"__name__": "sereno:events:expected5m", **labels}, times, np.full(len(times), 100.0))
    write(clockwork, [usual])
    rules = {rule.record: rule.expr for rule in group.recording}
    for slots in (1, 12, 2016):
        at = first + slots * 5 * MINUTE + 71 * SECOND
        assert value(clockwork, rules["sereno:events:window"], at) == 100 * slots
        assert value(clockwork, rules["sereno:bad_events:window"], at) == slots
        # Roll-ups come up to six minutes late.
        seen = value(clockwork, rules["sereno:coverage:ratio"], at) * (at - first) / MINUTE
        assert seen == pytest.approx(5 * slots)
        own = {"events:window": 100.0 * slots, "bad_events:window": float(slots)}
        for name, each in own.items():
            write(clockwork, [Series({"__name__": f"sereno:{name}", **labels}, np.array([at]), np.array([each]))])
        planned = value(clockwork, rules["sereno:events:planned"], at)
        assert planned == pytest.approx(100 * 30 * 288, rel=2e-4)
        write(clockwork, [Series({"__name__": "sereno:events:planned", **labels}, np.array([at]), np.array([planned]))])
        remaining = value(clockwork, rules["sereno:error_budget_remaining:ratio"], at)
        assert remaining == pytest.approx(1 - slots / (30 * 288), abs=1e-3)
