"""A shop whose past is known to the event: three quiet days, two incidents, a night without Prometheus.

Raw series are written into a real server, and the compiler's own rules are evaluated over them, so that what is
recorded is what Prometheus would have recorded.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sereno_slo.render.artefact import Kind

from benchmarks.simulation import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    Interval,
    Plan,
    Series,
    Server,
    evaluate,
    read_rule_groups,
    running_prometheus,
    write,
)
from support.slo_specs import compiled, of_kinds

BEGIN = 1_738_368_000_000
"""Midnight, 1 February 2025 UTC; days and hours of the past count from here."""
END = BEGIN + 3 * DAY + 15 * MINUTE
SCRAPE = 30 * SECOND
ROUTES, INSTANCES = ("/list", "/pay"), ("a:1", "b:1")
EVENTS_A_SCRAPE = 5
"""Of each route on each instance: forty events a minute in all."""
INCIDENT = Interval(BEGIN + DAY + 10 * HOUR, BEGIN + DAY + 11 * HOUR)
"""Every call of /pay fails, on both instances: 1,200 events."""
LESSER = Interval(BEGIN + DAY + 20 * HOUR, BEGIN + DAY + 20 * HOUR + 30 * MINUTE)
"""Every call of /list fails, on one instance: 300 events."""
HOLE = Interval(BEGIN + DAY + 3 * HOUR, BEGIN + DAY + 5 * HOUR)
"""Prometheus is down: nothing is scraped or evaluated, and what happens is lost to everybody."""

SPEC = """\
version: sereno/v1
service: shop
owner: sales
tier: critical
slos:
  - name: calls
    objective: 99
    window: 1d
    description: Calls that were answered
    indicator:
      ratio: {metric: calls_total, match: 'job="shop"', bad: 'code="500"'}
    group_by: {labels: [route]}
  - name: table
    objective: 95
    window: 1d
    indicator:
      threshold: {metric: table_age_seconds, match: 'job="shop"', max: 15m}
"""
FURTHER = """\
  - name: answered
    objective: 99
    window: 1d
    indicator:
      ratio: {metric: calls_total, match: 'job="shop"', good: 'code="200"'}
  - name: speed
    objective: 99
    window: 1d
    indicator:
      latency: {metric: calls_seconds, match: 'job="shop"', threshold: 250ms}
"""
"""The same failures, as other kinds of indicators see them; they go on with the spec."""
SLOW_FROM, SLOW_UNTIL = BEGIN + 2 * DAY + HOUR, BEGIN + 2 * DAY + HOUR + 40 * MINUTE
"""The table is too old as one of two instances sees it, and for the first half of the time as the other does, too."""

_WINDOWS = ("5m", "30m", "1h", "6h")
_WANTED = {
    *(f"sereno:{kind}:{name}" for kind in ("events", "bad_events") for name in ("delta1m", "sum5m", "window")),
    *(f"sereno:{kind}:missed1m" for kind in ("events", "bad_events")),
    *(f"sereno:error_ratio:{name}" for name in (*_WINDOWS, "3d", "window")),
    *("sereno:coverage:delta1m", "sereno:coverage:sum5m", "sereno:coverage:ratio", "sereno:ledger:evaluated5m"),
    *("sereno:error_budget_remaining:ratio", "sereno:error_budget_exhausted_in:seconds"),
    *("sereno_slo_objective_ratio", "sereno_slo_window_seconds", "sereno:group_admitted:bool"),
    *(f"sereno:group_{kind}:{name}" for kind in ("events", "bad_events") for name in ("sum5m", "window")),
    "sereno:group_error_budget_remaining:ratio",
}


@dataclass(frozen=True, slots=True)
class Truth:
    """What really happened between two moments; milliseconds since 1970."""

    events: int
    bad_events: int


def when(days: float, hours: float = 0) -> datetime:
    """A moment of the past."""
    return datetime.fromtimestamp(BEGIN / 1000, UTC) + timedelta(days=days, hours=hours)


def rfc3339(moment: datetime) -> str:
    """As one types it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _scrapes() -> NDArray[np.int64]:
    return np.arange(BEGIN, END, SCRAPE, dtype=np.int64)


def _fails(route: str, instance: str, times_ms: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether a scrape sees failures: what happened in the thirty seconds before it."""
    times_ms = times_ms - SCRAPE
    if route == "/pay":
        return INCIDENT.holds(times_ms)
    return LESSER.holds(times_ms) & (instance == "b:1")


def truth(start_ms: int, end_ms: int, *, route: str | None = None) -> Truth:
    """The events that could be seen after `start_ms` up to `end_ms`, all or of one route."""
    times_ms = _scrapes()
    seen = (times_ms > start_ms) & (times_ms <= end_ms) & ~HOLE.holds(times_ms)
    events = bad_events = 0
    for each in ROUTES if route is None else (route,):
        for instance in INSTANCES:
            events += EVENTS_A_SCRAPE * int(seen.sum())
            bad_events += EVENTS_A_SCRAPE * int((seen & _fails(each, instance, times_ms)).sum())
    return Truth(events, bad_events)


def _alerts() -> Iterator[Series]:
    """What fires in the incident, and while the table is old, as Prometheus records it: no alerts are simulated."""
    for slo, start_ms, end_ms, what in (
        ("calls", INCIDENT.start, INCIDENT.end, {"severity": "critical", "burn": "outage", "long_window": "2m"}),
        ("table", SLOW_FROM, SLOW_UNTIL, {"severity": "warning", "burn": "fast", "long_window": "1d"}),
    ):
        labels = {"__name__": "ALERTS", "alertname": "SLOErrorBudgetBurn", "alertstate": "firing"}
        times_ms = np.arange(start_ms + 3 * MINUTE, end_ms + 3 * MINUTE, MINUTE, dtype=np.int64)
        yield Series({**labels, "service": "shop", "slo": slo, **what}, times_ms, np.ones(len(times_ms)))


def _raw() -> Iterator[Series]:
    times_ms = _scrapes()
    seen = ~HOLE.holds(times_ms)
    for instance in INSTANCES:
        target = {"job": "shop", "instance": instance}
        begun = np.full(len(times_ms), BEGIN / 1000 - 86_400)
        yield Series({"__name__": "up", **target}, times_ms[seen], np.ones(int(seen.sum())))
        yield Series({"__name__": "process_start_time_seconds", **target}, times_ms[seen], begun[seen])
        until_ms = SLOW_UNTIL if instance == "a:1" else (SLOW_FROM + SLOW_UNTIL) // 2
        is_old = (times_ms >= SLOW_FROM) & (times_ms < until_ms)
        age = np.where(is_old, 1_000.0, 10.0)
        yield Series({"__name__": "table_age_seconds", **target}, times_ms[seen], age[seen])
        for route in ROUTES:
            failing = _fails(route, instance, times_ms)
            for code, counted in (("200", ~failing), ("500", failing)):
                counts = np.cumsum(np.where(counted, float(EVENTS_A_SCRAPE), 0.0)) + 1_000.0 * (code == "200")
                # A series of errors is born with its first error.
                there = seen & (counts > 0)
                labels = {"__name__": "calls_total", **target, "route": route, "code": code}
                yield Series(labels, times_ms[there], counts[there])


def _durations() -> Iterator[Series]:
    """A histogram of one instance, ten calls a minute, all of which are slow in the lesser incident."""
    times_ms = _scrapes()
    seen = ~HOLE.holds(times_ms)
    calls = np.cumsum(np.full(len(times_ms), float(EVENTS_A_SCRAPE)))
    fast = np.cumsum(np.where(LESSER.holds(times_ms - SCRAPE), 0.0, float(EVENTS_A_SCRAPE)))
    labels = {"job": "shop", "instance": "a:1", "route": "/list"}
    yield Series({"__name__": "calls_seconds_count", **labels}, times_ms[seen], calls[seen])
    for bound, counts in (("0.25", fast), ("+Inf", calls)):
        yield Series({"__name__": "calls_seconds_bucket", "le": bound, **labels}, times_ms[seen], counts[seen])


def _odd() -> Iterator[Series]:
    """A service `odd` with the shop's names: figures that don't agree, and events without bad ones."""
    times_ms = np.arange(BEGIN, BEGIN + 2 * DAY + MINUTE, 5 * MINUTE, dtype=np.int64)

    def steady(slo: str, name: str, value: float) -> Series:
        labels = {"__name__": f"sereno:{name}", "service": "odd", "slo": slo}
        return Series(labels, times_ms, np.full(len(times_ms), value))

    for slo in ("calls", "table"):
        yield steady(slo, "ledger:evaluated5m", 1)
        yield steady(slo, "events:sum5m", 1_000)
        yield steady(slo, "coverage:sum5m", 5)
    yield steady("calls", "bad_events:sum5m", 5)
    yield steady("calls", "error_budget_remaining:ratio", 0.7)


@contextmanager
def running_shop(folder: Path) -> Iterator[Server]:
    """A server with the shop's past, its rules evaluated."""
    (rules,) = of_kinds(compiled(SPEC + FURTHER), Kind.RULES).values()
    groups = read_rule_groups(rules)
    plan = Plan(
        Interval(BEGIN + 10 * MINUTE, END),
        {group.name: 7 * SECOND + (group.interval_ms == 5 * MINUTE) * 2 * MINUTE for group in groups},
        down=(HOLE,),
        wanted=_WANTED,
    )
    with running_prometheus(folder) as server:
        write(server, [*_raw(), *_durations(), *_alerts(), *_odd()])
        evaluate(server, groups, plan)
        yield server
