"""One incident whose truth is known to the last request, as Prometheus, log store and Alertmanager would tell it.

Minute entries are stamped 12.345 s after the minute. Of 120 requests a minute, 30 fail in the entries 60 to 75 of the
story; else one in every tenth minute. The alert is pending from entry 62, fires from 65 and is resolved at 80.
"""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sereno_backends.logs import LogRecord, open_log_store
from sereno_postmortems.store import IncidentStore
from sereno_postmortems.webhook import Delivery, read_delivery

from support.incidents import reported, webhook
from support.prometheus import HistorySample

BASE = int(time.time() // 300) * 300 - 3 * 3600
"""Unix time of minute 0 of the story: about three hours ago, on a multiple of five minutes."""

PHASE_SECONDS = 12.345
FIRST_MINUTE, LAST_MINUTE = -70, 150
OBJECTIVE = 0.999
EVENTS_A_MINUTE = 120
SERVICE, SLO = "transactions-api", "availability"
ALERT = {
    "alertname": "SLOErrorBudgetBurn",
    "severity": "critical",
    "service": SERVICE,
    "slo": SLO,
    "owner": "payments",
    "burn": "fast",
    "long_window": "1h",
}
EVENTS_BEFORE, BAD_BEFORE = 5_000_000, 1_000
"""What the SLO's window holds when the story begins."""

FAULT_MESSAGE = "database connection refused"
USUAL_MESSAGE = "cache entry expired early"


def minute(number: float, seconds: float = 0.0) -> datetime:
    """A minute of the story."""
    return datetime.fromtimestamp(BASE + 60 * number + seconds, UTC)


def entry_time(number: int) -> datetime:
    """When an entry is stamped, and when alerts are evaluated."""
    return minute(number, PHASE_SECONDS)


def bad_events(number: int) -> int:
    """The failed requests of one minute entry of the SLO."""
    if 60 <= number <= 75:
        return 30
    return 1 if number % 10 == 0 else 0


def failed_between(first: int, last: int) -> int:
    """The failed requests of the entries first to last, both included."""
    return sum(bad_events(number) for number in range(first, last + 1))


def remaining_at(number: int) -> float:
    """The true error budget left after an entry."""
    return 1 - (bad_in_window(number) / events_in_window(number)) / (1 - OBJECTIVE)


def events_in_window(number: int) -> int:
    """Requests in the SLO's window after an entry."""
    return EVENTS_BEFORE + EVENTS_A_MINUTE * (number - FIRST_MINUTE + 1)


def bad_in_window(number: int) -> int:
    """Failed requests in the SLO's window after an entry."""
    return BAD_BEFORE + failed_between(FIRST_MINUTE, number)


def history(*, last_minute: int = LAST_MINUTE) -> Iterator[HistorySample]:
    """The recorded series of the story up to a minute."""
    own = {"service": SERVICE, "slo": SLO}
    yield from raw_history(last_minute=last_minute)
    for number in range(FIRST_MINUTE, last_minute + 1):
        stamp = BASE + 60 * number + PHASE_SECONDS
        yield HistorySample("sereno:events:delta1m", own, stamp, EVENTS_A_MINUTE)
        yield HistorySample("sereno:bad_events:delta1m", own, stamp, bad_events(number))
        yield HistorySample("sereno:error_ratio:5m", own, stamp, failed_between(number - 4, number) / 600)
        yield HistorySample("sereno_slo_objective_ratio", own, stamp, OBJECTIVE)
        yield HistorySample("sereno_slo_window_seconds", own, stamp, 30 * 86400)
        yield from _other_slos(number, stamp)
        if 62 <= number < 65:
            yield HistorySample("ALERTS", {**ALERT, "alertstate": "pending"}, stamp, 1)
        if 65 <= number < 80:
            yield HistorySample("ALERTS", {**ALERT, "alertstate": "firing"}, stamp, 1)
        if number % 5 == 0:
            yield HistorySample("sereno:events:window", own, stamp, events_in_window(number))
            yield HistorySample("sereno:bad_events:window", own, stamp, bad_in_window(number))
            yield HistorySample("sereno:error_budget_remaining:ratio", own, stamp, remaining_at(number))


BUCKETS = {"0.1": 1.0, "0.25": 1.0, "1": 1.0, "2.5": 1.0, "+Inf": 1.0}
"""What part of the requests took at most so long; while requests fail 30 % take between 1 and 2.5 s."""
SLOW_BUCKETS = {"0.1": 0.7, "0.25": 0.7, "1": 0.7, "2.5": 1.0, "+Inf": 1.0}


def is_fault(number: int) -> bool:
    """Whether requests fail in a minute entry."""
    return 60 <= number <= 75


def answered(number: int, code: str) -> int:
    """Answers of one status code in a minute; 401 is counted from its first one on, as counters of codes are born."""
    counts = {"500": bad_events(number), "401": 12 if is_fault(number) else 0}
    return counts.get(code, EVENTS_A_MINUTE - bad_events(number))


def raw_history(*, last_minute: int = LAST_MINUTE) -> Iterator[HistorySample]:
    """What the service itself exports: requests by code and duration, CPU, memory."""
    totals = dict.fromkeys(("200", "500", "401"), 0.0)
    buckets = dict.fromkeys(BUCKETS, 0.0)
    cpu = 0.0
    for number in range(FIRST_MINUTE, last_minute + 1):
        stamp = BASE + 60 * number + PHASE_SECONDS
        job = {"job": SERVICE, "instance": "a:1"}
        for code in totals:
            totals[code] += answered(number, code)
            if totals[code]:
                labels = {**job, "http_route": "/payments", "http_response_status_code": code}
                yield HistorySample("http_server_request_duration_seconds_count", labels, stamp, totals[code])
        for bound, part in (SLOW_BUCKETS if is_fault(number) else BUCKETS).items():
            buckets[bound] += EVENTS_A_MINUTE * part
            labels = {**job, "http_route": "/payments", "http_response_status_code": "200", "le": bound}
            yield HistorySample("http_server_request_duration_seconds_bucket", labels, stamp, buckets[bound])
        cpu += 54.0 if is_fault(number) else 12.0
        yield HistorySample("process_cpu_seconds_total", job, stamp, cpu)
        yield HistorySample("process_resident_memory_bytes", job, stamp, 80_000_000.0)


def _other_slos(number: int, stamp: float) -> Iterator[HistorySample]:
    """A neighbour that burns, one that fails a little more by chance, one that is well, one without requests."""
    in_fault = 60 <= number <= 75
    for service, slo, events, bad in (
        ("checkout", "availability", 50, 10 if in_fault else 0),
        ("search", "availability", 50, 1 if number in {55, 61, 70, -20} else 0),
        ("accounts", "availability", 50, 0),
        ("reports", "availability", 0, 0),
    ):
        labels = {"service": service, "slo": slo}
        yield HistorySample("sereno:events:delta1m", labels, stamp, events)
        yield HistorySample("sereno:bad_events:delta1m", labels, stamp, bad)


def write_logs(path: Path) -> None:
    """The story's logs, into a real log store file."""
    store = open_log_store(str(path))
    try:
        result = store.write(list(log_records()))
        assert not result.rejections
    finally:
        store.close()


def log_records() -> Iterator[LogRecord]:
    """Deeds, new errors during the fault, one error that is usual, noise of other services and levels."""
    yield _record("deed-1", minute(55), "info", "release 1.4.2", service="checkout", action="deployment")
    yield _record(
        "deed-2", minute(59, 50), "info", "fault injected", action="fault_started", labels={"fault": "errors"}
    )
    yield _record("deed-3", minute(75, 30), "info", "fault removed", action="fault_stopped", labels={"fault": "errors"})
    for number in range(-60, 100, 10):
        yield _record(f"usual-{number}", minute(number, 30), "error", USUAL_MESSAGE)
    for number in range(60, 75):
        for nth in range(10):
            at = minute(number, 1 + nth)
            trace_id = f"{number:016x}{nth:016x}"
            yield _record(
                f"fault-{number}-{nth}", at, "error", FAULT_MESSAGE, trace_id=trace_id, kind="OperationalError"
            )
    yield _record("critical", minute(64), "critical", "giving up")
    yield _record("elsewhere", minute(64), "error", "not of this service", service="unrelated")
    yield _record("before", minute(40), "critical", "long before the evidence window")


def _record(
    record_id: str,
    at: datetime,
    level: str,
    message: str,
    *,
    service: str = SERVICE,
    action: str | None = None,
    labels: dict[str, str] | None = None,
    trace_id: str | None = None,
    kind: str | None = None,
) -> LogRecord:
    document: dict[str, Any] = {"@timestamp": at.isoformat(), "message": message, "service.name": service}
    if labels:
        document["labels"] = labels
    return LogRecord(
        record_id=record_id,
        timestamp=at,
        service=service,
        level=level,
        message=message,
        trace_id=trace_id,
        error_type=kind,
        action=action,
        document=document,
    )


def write_incident(path: Path, *, resolved: bool = True, **alert_labels: str) -> str:
    """The story's incident, into a real incident database; returns its id."""
    store = IncidentStore(path)
    store.prepare()
    labels = {**ALERT, **alert_labels}
    annotations = {"summary": "5 % fail", "runbook_url": "https://runbooks.example/burn", "dashboard_url": ""}
    firing = reported(labels, entry_time(65), annotations=annotations)
    record(store, webhook([firing]), entry_time(65) + timedelta(seconds=10))
    if resolved:
        ended = reported(labels, entry_time(65), entry_time(80), annotations=annotations)
        record(store, webhook([ended]), entry_time(80) + timedelta(seconds=20))
    return store.incidents()[0].incident_id


def record(store: IncidentStore, body: dict[str, Any], received_at: datetime) -> None:
    """Store a webhook body as if it had come at that time."""
    raw = json.dumps(body).encode()
    delivery = read_delivery(raw, received_at)
    assert isinstance(delivery, Delivery), delivery
    store.record(delivery, raw)
