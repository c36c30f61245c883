"""Every file that Sereno keeps, as today's code reads it: what is in it, one more thing written, who refuses it."""

import gzip
import json
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sereno_backends.devops import Delivery, DevOpsQuery, DevOpsStoreTooNew, Disposition, Provider
from sereno_backends.devops.sqlite_store import SqliteDevOpsEventStore
from sereno_backends.logs.model import LogQuery, LogRecord, LogStoreTooNew
from sereno_backends.logs.sqlite_store import SqliteLogStore
from sereno_collectors.logs.inputs.files.checkpoint import Checkpoint, CheckpointError
from sereno_collectors.logs.model import Document, Position
from sereno_collectors.logs.queue import DurableQueue, QueueError, QueueReader
from sereno_exporters.aws.catalogue import METRICS
from sereno_exporters.aws.snapshot import Series
from sereno_exporters.aws.state import DayLimits, State
from sereno_exporters.aws.tally import Tally
from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.trouble import FetchError
from sereno_postmortems import webhook as alertmanager
from sereno_postmortems.pagerduty import PagerDutyEvent, group_digest, read_event
from sereno_postmortems.store import IncidentStore, IncidentStoreUnavailable

from support.incidents import PAGE, at, reported, webhook
from support.pagerduty import event

FOLDER = Path(__file__).parents[1] / "reliability" / "stores"
"""`<store>/<version>/<file>`: files that earlier versions of the code have written; its README tells which."""

KEPT = "kept.json"
"""Beside such a file: what was written into it."""


@dataclass(frozen=True, slots=True)
class StoreKind:
    """One kind of file."""

    contents: Callable[[Path], object]
    """Opens it as the running part does, which migrates it, and tells what is in it."""
    add: Callable[[Path], None]
    """Writes one more thing."""
    refusal: type[Exception]
    """Raised for a file that this version doesn't know."""


def copy_of(store: str, version: str, folder: Path) -> Path:
    """A fresh copy of a file of that version, not compressed any more."""
    (original,) = (path for path in (FOLDER / store / version).iterdir() if path.name != KEPT)
    copy = folder / original.name.removesuffix(".gz")
    raw = original.read_bytes()
    copy.write_bytes(gzip.decompress(raw) if original.suffix == ".gz" else raw)
    return copy


def _incidents(path: Path) -> object:
    store = IncidentStore(path)
    store.prepare()
    return {
        one.incident_id: (
            one.status.value,
            sorted((alert.severity, alert.ends_at and alert.ends_at.isoformat()) for alert in one.alerts),
            len(one.notifications),
            sorted((entry.kind.value, entry.author) for entry in one.entries),
        )
        for one in store.incidents()
    }


def _add_incident(path: Path) -> None:
    body = json.dumps(webhook([reported({**PAGE, "slo": "new"}, at(20))])).encode()
    delivery = alertmanager.read_delivery(body, at(20))
    assert isinstance(delivery, alertmanager.Delivery)
    store = IncidentStore(path)
    store.record(delivery, body)
    called = json.dumps(event("acknowledged", at(20, 1), key=group_digest(delivery.group_key))).encode()
    told = read_event(called, at(20, 1))
    assert isinstance(told, PagerDutyEvent)
    store.record_event(told, called)


def _queue(path: Path) -> object:
    with closing(DurableQueue(path, limit_bytes=10**9, report=print)) as queue:
        parcels = queue.take(10, 10**9)
        positions = [(each.path, each.offset) for each in queue.positions]
        bodies = [parcel.body.decode().splitlines() for parcel in parcels]
    received = [tuple(hour) for hour in QueueReader(path).received("2026-11-22T00", "2026-11-23T00")]
    return bodies, positions, received


def _add_to_queue(path: Path) -> None:
    document = Document("id-9", "logs-app-default", b'{"message":"new"}', "app", "host-1", 9, "2026-11-22T10")
    with closing(DurableQueue(path, limit_bytes=10**9, report=print)) as queue:
        queue.put([document])


def _logs(path: Path) -> object:
    with closing(SqliteLogStore(path)) as store:
        return [
            (record.record_id, record.level, record.message, dict(record.document))
            for record in store.search(LogQuery(at(0), at(23), text="line"))
        ]


def _add_log(path: Path) -> None:
    with closing(SqliteLogStore(path)) as store:
        store.write([LogRecord("id-9", at(11), "app", "info", "line 9", document={"message": "line 9"})])


def _devops(path: Path) -> object:
    store = SqliteDevOpsEventStore(path)
    store.prepare()
    kept = {each.delivery_id: len(each.body) for disposition in Disposition for each in store.kept(disposition)}
    return kept, [(each.kind.value, each.event_id) for each in store.events(DevOpsQuery())]


def _add_delivery(path: Path) -> None:
    told = (Disposition.UNKNOWN_SCHEMA, "not understood")
    given = ("github", Provider.GITHUB, "delivery-9", "hash of delivery-9", "push", at(11), b"{}", ())
    SqliteDevOpsEventStore(path).record([Delivery(*given, *told)])


def _checkpoint(path: Path) -> object:
    with closing(Checkpoint(path, store="SQLite /var/log.sqlite")) as checkpoint:
        return [(each.path, each.source, each.offset) for each in checkpoint.positions], checkpoint.earlier_store


def _move_on(path: Path) -> None:
    with closing(Checkpoint(path, store="SQLite /var/log.sqlite")) as checkpoint:
        checkpoint.save([*checkpoint.positions, Position("/var/log/new.log", "source-9", 9, 0, 9)])


def _aws(path: Path) -> object:
    state, deadline = State(path, "shop"), Deadline.after(30)
    series = Series(METRICS[0], "checkout")
    tally = state.tallies([series], lambda _, known: known or Tally(0), deadline)[series]
    spent = state.spent(DayLimits(100, 100), 1_764_300_000.0, deadline)
    total = {str(minute): amount for minute, amount in tally.pending.items()}
    calls = [[*call, number] for call, number in spent.calls.items()]
    return tally.settled_until, tally.settled, total, tally.newest, tally.lost_minutes, calls, spent.metrics


def _add_call(path: Path) -> None:
    State(path, "shop").note("GetMetricData", "ok", Deadline.after(30))


STORES: Mapping[str, StoreKind] = {
    "aws-state": StoreKind(_aws, _add_call, FetchError),
    "devops-store": StoreKind(_devops, _add_delivery, DevOpsStoreTooNew),
    "incidents": StoreKind(_incidents, _add_incident, IncidentStoreUnavailable),
    "log-checkpoint": StoreKind(_checkpoint, _move_on, CheckpointError),
    "log-queue": StoreKind(_queue, _add_to_queue, QueueError),
    "log-store": StoreKind(_logs, _add_log, LogStoreTooNew),
}
