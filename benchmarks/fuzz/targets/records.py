"""Files on disk that were damaged: each store says so, and none answers with an exception of SQLite or JSON."""

import contextlib
import json
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import orjson
from sereno_backends.devops import Delivery as StoredDelivery
from sereno_backends.devops import DevOpsStoreUnavailable, Provider
from sereno_backends.devops.sqlite_store import SqliteDevOpsEventStore
from sereno_backends.devops.store import DevOpsQuery, Disposition
from sereno_backends.logs.model import LogQuery, LogRecord, LogStoreError
from sereno_backends.logs.sqlite_store import SqliteLogStore
from sereno_collectors.devops.model import Message, Source
from sereno_collectors.devops.providers import ADAPTERS
from sereno_collectors.devops.translation import delivery_of
from sereno_collectors.logs.inputs.files.checkpoint import Checkpoint, CheckpointError
from sereno_collectors.logs.model import Position
from sereno_postmortems.store import IncidentStore, IncidentStoreUnavailable
from sereno_postmortems.webhook import Delivery, read_delivery

from benchmarks.fuzz.target import Target, require
from benchmarks.fuzz.targets.webhooks import INCIDENT_BODIES, NOW, devops_samples, scratch

_PATCH_BYTES: Final = 4
"""Three bytes say where, one what stands there then."""
_TELLING = (IncidentStoreUnavailable, DevOpsStoreUnavailable, LogStoreError)


def _fill_incidents(path: Path) -> None:
    store = IncidentStore(path)
    store.prepare()
    for body in INCIDENT_BODIES:
        delivery = read_delivery(body, NOW)
        require(isinstance(delivery, Delivery), "a good body is one")
        if isinstance(delivery, Delivery):
            store.record(delivery, body)


def _fill_devops(path: Path) -> None:
    store = SqliteDevOpsEventStore(path)
    store.prepare()
    for sample in devops_samples()[:12]:
        told = json.loads(sample)
        provider, body = Provider(told["provider"]), json.dumps(told["body"]).encode()
        headers = {name.lower(): value for name, value in told["headers"].items()}
        message = Message(headers, body, told["body"])
        found = delivery_of(Source(provider.value, provider, ()), ADAPTERS[provider], message, NOW)
        if isinstance(found, StoredDelivery):
            store.record([found])


def _fill_logs(path: Path) -> None:
    store = SqliteLogStore(path)
    records = [
        LogRecord(f"r{at}", NOW - timedelta(minutes=at), "api", "error", f"failed {at}", document={"message": "x"})
        for at in range(20)
    ]
    store.write(records)
    store.close()


def _use_incidents(path: Path) -> None:
    store = IncidentStore(path)
    _told(store.prepare)
    for incident in _told(store.incidents) or ():
        _told(partial(store.incident, incident.incident_id))
    _told(store.counts)
    _told(store.check_writable)
    delivery = read_delivery(INCIDENT_BODIES[1], NOW)
    if isinstance(delivery, Delivery):
        _told(lambda: store.record(delivery, INCIDENT_BODIES[1]))


def _use_devops(path: Path) -> None:
    store = SqliteDevOpsEventStore(path)
    _told(store.prepare)
    for event in (_told(lambda: store.events(DevOpsQuery())) or ())[:3]:
        _told(partial(store.original, event))
    for disposition in Disposition:
        _told(partial(store.kept, disposition))
    _told(lambda: store.events_after(0, limit=50))
    _told(lambda: store.heard("github", timedelta(days=1)))
    _told(store.counts)
    _told(lambda: store.waiting("x"))
    _told(store.check_writable)


def _use_logs(path: Path) -> None:
    store = SqliteLogStore(path)
    query = LogQuery(NOW - timedelta(days=1), NOW + timedelta(days=1), text="failed")
    with contextlib.closing(store):
        _told(lambda: store.search(query))
        _told(lambda: store.count(query))
        _told(lambda: store.top_messages(query))
        _told(lambda: store.write([LogRecord("new", NOW, "api", "info", "hello")]))


def _told(question: Callable[[], Any]) -> Any:
    """The answer; None where the store says that it can't, in a line that a person can read."""
    try:
        return question()
    except _TELLING as error:
        require(str(error).strip(), "an error without words")
        return None


_STORES: Final = ((_fill_incidents, _use_incidents), (_fill_devops, _use_devops), (_fill_logs, _use_logs))


@cache
def _whole(number: int) -> bytes:
    """A good file of that store, without a write-ahead log beside it."""
    path = scratch() / "whole.sqlite"
    _STORES[number][0](path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")
    return path.read_bytes()


@cache
def _place() -> Path:
    return scratch() / "damaged.sqlite"


def _lay(content: bytes) -> Path:
    for end in ("", "-wal", "-shm", "-journal"):
        _place().with_name(_place().name + end).unlink(missing_ok=True)
    _place().write_bytes(content)
    return _place()


def check_file(data: bytes) -> None:
    """A file of which some bytes are others is used, or refused by its store's own errors."""
    if not data:
        return
    number = data[0] % len(_STORES)
    content = bytearray(_whole(number))
    for at in range(1, len(data) - _PATCH_BYTES + 1, _PATCH_BYTES):
        where = int.from_bytes(data[at : at + 3], "big") % (len(content) or 1)
        if where == 0 and data[at + 3] % 2:
            del content[len(content) // 2 :]  # broken off
        elif content:
            content[where] = data[at + 3]
    _STORES[number][1](_lay(bytes(content)))


_COLUMNS: Final = (
    (0, "UPDATE incidents SET document = ?"),
    (0, "UPDATE deliveries SET body = ?"),
    (1, "UPDATE event SET document = ?"),
    (1, "UPDATE delivery SET body = ?"),
    (2, "UPDATE record SET document = ?"),
)


def check_document(data: bytes) -> None:
    """A good file in which a document is no good one is used, or refused by its store's own errors."""
    for number, statement in _COLUMNS:
        path = _lay(_whole(number))
        text: str | bytes = data if "body" in statement else data.decode(errors="replace")
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(statement, (text,))
            if statement.startswith("UPDATE deliveries"):
                connection.execute("PRAGMA user_version = 0")  # as after an upgrade: all is derived anew
        _STORES[number][1](path)
    _check_checkpoint(data)


def _check_checkpoint(data: bytes) -> None:
    path = _place().with_name("checkpoint.json")
    path.write_bytes(data)
    try:
        checkpoint = Checkpoint(path, store="s")
    except CheckpointError as error:
        require(str(path) in str(error), "an error that names no file")
        return
    checkpoint.close()
    for position in checkpoint.positions:
        wrong = [name for name, value in _kinds(position).items() if not value]
        require(not wrong, f"positions with values of other kinds: {wrong}")


def _kinds(position: Position) -> dict[str, bool]:
    return {
        "path": isinstance(position.path, str),
        "offset": isinstance(position.offset, int),
        "inode": isinstance(position.inode, int),
        "generation": isinstance(position.generation, int),
    }


def _documents() -> tuple[bytes, ...]:
    found = [
        orjson.dumps(
            {"version": 1, "store": "s", "positions": [{"path": "/a", "source": "b", "inode": 1, "generation": 0}]}
        )
    ]
    for number, table in ((0, "incidents"), (1, "event"), (2, "record")):
        with contextlib.closing(sqlite3.connect(_lay(_whole(number)))) as connection:
            rows = connection.execute(f"SELECT document FROM {table} LIMIT 6").fetchall()  # noqa: S608 - our names
        found += (row[0].encode() if isinstance(row[0], str) else row[0] for row in rows)
    return tuple(found)


_PATCHES = tuple(
    bytes([number]) + b"".join(where.to_bytes(3, "big") + bytes([what]) for where, what in patches)
    for number in range(3)
    for patches in (
        ((0, 1),),
        ((18, 9), (19, 9)),
        ((100, 0),),
        ((28, 255), (16, 0)),
        ((4096, 10), (4101, 255), (8192, 255)),
        ((60, 9), (63, 9)),
        ((5000, 0), (9000, 200), (13000, 255), (20000, 13)),
    )
)
TARGETS = (
    Target("damaged-files", "used, or refused by the store's own errors", _PATCHES, (), check_file),
    Target("stored-documents", "used, or refused by the store's own errors", _documents(), (), check_document),
)
