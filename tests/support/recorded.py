"""A past for the example services: raw series of their targets and everything that their rules record."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from sereno_slo.duration import FIVE_MINUTES
from sereno_slo.model import Objective, Service, Settings
from sereno_slo.plan import plan_service
from sereno_slo.plan.rules import RecordingRule, RuleGroup
from sereno_slo.plan.series import EXHAUSTED_IN, ROLL_UP_MARK

from support.prometheus import HistorySample

Ask = Callable[..., list[dict[str, Any]]]
"""Ask Prometheus for an expression; the answer is the API's `result`."""

END = 1_700_000_000.0
"""The moment at which the tests look."""
BEGIN = END - 20 * 60
EVENTS, BAD_EVENTS = 10_000.0, 20.0
CALM, RECOVERED = "stage", "availability"
COVERAGE = 0.98
# The last evaluation of a group of five minutes: late, so that a plain look-up (five minutes) finds nothing.
LATE = 6 * 60


def history(services: Iterable[Service], settings: Settings) -> Iterator[HistorySample]:
    """Everything that dashboards and runbooks may ask for."""
    for service in services:
        slos = {slo.name: slo for slo in service.objectives}
        for group in plan_service(service, settings).groups:
            yield from _recorded(group, slos)
    yield from _http("10.0.0.1:8080", errors=0.5)
    yield from _http("10.0.0.2:8080", errors=0.0)
    yield from _etl()
    for job in ("transactions-api", "etl"):
        yield from _target(job)
    yield from _groups()
    yield from _steady("sereno:excluded:bool", {"service": "etl-worker", "slo": "rows"}, 0, step=60)
    yield from _yesterday()
    # One SLO misses its service level and no alert fires, one burns with budget left, one has no data, one is calm.
    yield from _firing("etl-worker", "rows", "SLOErrorBudgetBurn", severity="critical")
    yield from _firing("transactions-api", "latency", "SLONoData", severity="warning")
    # One fires since yesterday; until an hour ago another of its windows did as well.
    for end, window in ((END - 86_400, "1d"), (END, "1d"), (END - 3600, "6h")):
        for sample in _firing("etl-worker", "stage", "SLOTrafficDrop", severity="warning", end=end):
            yield replace(sample, labels={**sample.labels, "long_window": window})


def _groups() -> Iterator[HistorySample]:
    """Two tables whose rows have budgets of their own; nobody is left out."""
    slo = {"service": "etl-worker", "slo": "rows"}
    figures = {"error_budget_remaining:ratio": 0.5, "error_ratio:window": 0.0125, "bad_events:window": 10}
    for table, part in (("orders", 1), ("refunds", 0.5)):
        for name, value in (figures | {"events:window": 800}).items():
            yield from _steady(f"sereno:group_{name}", slo | {"table": table}, value * part, step=300, end=END - LATE)
    yield from _steady("sereno:groups_left_out:count", slo, 0, step=300, end=END - LATE)


def _yesterday() -> Iterator[HistorySample]:
    """Two budgets were fuller, one was less full; an alert of one fired and is over."""
    end = END - 86_400
    for service, slo, remaining in (
        ("transactions-api", "availability", -0.5),
        ("transactions-api", "latency", 0.9),
        ("etl-worker", "rows", 0.9),
    ):
        labels = {"service": service, "slo": slo}
        yield from _steady(
            "sereno:error_budget_remaining:ratio", labels, remaining, step=300, end=end - LATE, begin=end - 1200
        )
    yield from _firing("transactions-api", "pay", "SLOTrafficDrop", severity="warning", end=END - 3600)


def _firing(service: str, slo: str, alert: str, *, severity: str, end: float = END) -> Iterator[HistorySample]:
    """An alert as Prometheus itself records it."""
    labels = {"alertname": alert, "alertstate": "firing", "service": service, "slo": slo, "severity": severity}
    return _steady("ALERTS", labels, 1, step=60, end=end, begin=end - 1200)


def _recorded(group: RuleGroup, slos: Mapping[str, Objective]) -> Iterator[HistorySample]:
    five_minutes = group.interval == FIVE_MINUTES
    for rule in group.rules:
        if isinstance(rule, RecordingRule) and (rule.record, rule.labels["slo"]) != (EXHAUSTED_IN, CALM):
            value = _value(rule.record, slos[rule.labels["slo"]])
            step, end = (300, END - LATE) if five_minutes else (60, END)
            yield from _steady(rule.record, rule.labels, value, step=step, end=end)
            if rule.record == ROLL_UP_MARK:  # the ledger is older than a day
                yesterday = END - 86_400
                yield from _steady(rule.record, rule.labels, value, step=step, end=yesterday, begin=yesterday - 1200)


def _value(record: str, slo: Objective) -> float:
    """20 of 10,000 events are bad; `availability` had them long ago, `stage` has none."""
    is_window = record.endswith((":window", "_remaining:ratio", "_in:seconds"))
    bad_events = 0 if slo.name == CALM or (slo.name == RECOVERED and not is_window) else BAD_EVENTS
    error_ratio = bad_events / EVENTS
    values = {
        "sereno_slo_info": 1.0,
        "sereno:ledger:evaluated5m": 1.0,
        "sereno_slo_objective_ratio": slo.objective_ratio,
        "sereno_slo_window_seconds": slo.window.seconds,
        "sereno:error_budget_remaining:ratio": 1 - error_ratio / slo.error_budget_ratio,
        "sereno:coverage:ratio": COVERAGE,
        "sereno:error_budget_exhausted_in:seconds": 0 if error_ratio > slo.error_budget_ratio else slo.window.seconds,
    }
    subjects = {"events": EVENTS, "bad_events": bad_events, "error_ratio": error_ratio, "coverage": COVERAGE}
    return values[record] if record in values else subjects[record.split(":")[1]]


def _steady(
    name: str, labels: Mapping[str, str], value: float, *, step: int, end: float = END, begin: float = BEGIN
) -> Iterator[HistorySample]:
    """The same value at every step."""
    count = int((end - begin) // step)
    return (HistorySample(name, labels, end - position * step, value) for position in range(count + 1))


def _counter(name: str, labels: Mapping[str, str], per_second: float) -> Iterator[HistorySample]:
    """A counter that was there before the window and grows evenly, scraped every 15 s."""
    count = int((END - BEGIN) // 15)
    for position in range(count + 1):
        timestamp = END - position * 15
        yield HistorySample(name, labels, timestamp, 1_000 + (timestamp - BEGIN) * per_second)


def _http(instance: str, *, errors: float) -> Iterator[HistorySample]:
    """Ten calls a second, `errors` of them answered 500; a fifth of all is slower than 0.3 s."""
    metric = "http_server_request_duration_seconds"
    for status, part in (("200", 1 - errors), ("500", errors)):
        if not part:
            continue  # no series of errors yet
        labels = {
            "job": "transactions-api",
            "instance": instance,
            "http_route": "/transactions",
            "http_request_method": "POST",
            "http_response_status_code": status,
        }
        yield from _counter(f"{metric}_count", labels, 10 * part)
        for bound, fast in (("0.3", 0.8), ("0.5", 0.9), ("1.0", 1.0), ("+Inf", 1.0)):
            yield from _counter(f"{metric}_bucket", labels | {"le": bound}, 10 * part * fast)


def _etl() -> Iterator[HistorySample]:
    labels = {"job": "etl", "instance": "10.0.0.3:8080"}
    yield from _counter("etl_rows_read_total", labels, 100)
    yield from _counter("etl_rows_loaded_total", labels, 99)
    stage = labels | {"stage": "load"}
    yield from _counter("etl_stage_duration_seconds_count", stage, 1)
    for bound, fast in (("10.0", 0.5), ("20.0", 0.9), ("+Inf", 1.0)):
        yield from _counter("etl_stage_duration_seconds_bucket", stage | {"le": bound}, fast)


def _target(job: str) -> Iterator[HistorySample]:
    """One target that is up since ten minutes, one that is down."""
    up, down = ({"job": job, "instance": f"10.0.1.{position}:8080"} for position in (1, 2))
    yield from _steady("up", up, 1, step=15)
    yield from _steady("up", down, 0, step=15)
    yield from _steady("process_start_time_seconds", up, END - 600, step=15)
