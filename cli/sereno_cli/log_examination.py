"""What `sereno logs doctor` looks at: the store, its retention, and what lies on the collector's own disk."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch
    from sereno_backends.logs.lifecycle import Retentions, Stream
    from sereno_collectors.logs.doctor import Examination, FileStore, ServerStore, StreamRetentions


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for."""

    location: str
    """Of the store: an address or a path."""
    retentions: "Retentions | None"
    """None: there is no retention file."""
    queue: Path
    queue_bytes: int
    dead_letters: Path
    watch_seconds: float
    """Between two looks; 0: one look."""


def examination(asked: Asked, now: Callable[[], datetime]) -> "Examination":
    """Look, and judge.

    Raises:
        LogStoreError: the store can't be reached, or says no.
    """
    from sereno_backends.logs.location import is_server
    from sereno_collectors.logs.doctor import Patient, examine, read_dead_letters, read_queue

    store = _server(asked, now) if is_server(asked.location) else _file(asked, now)
    return examine(
        Patient(store, read_queue(asked.queue, now()), asked.queue_bytes, read_dead_letters(asked.dead_letters, now()))
    )


def _file(asked: Asked, now: Callable[[], datetime]) -> "FileStore":
    from sereno_backends.logs.health.sqlite_look import look_at_sqlite
    from sereno_backends.logs.lifecycle import SqliteRetention
    from sereno_collectors.logs.doctor import FileRetention, FileStore

    path = Path(asked.location)
    overdue = None if asked.retentions is None else SqliteRetention(path, asked.retentions, now, Event()).plan()
    return FileStore(look_at_sqlite(path, asked.retentions, now()), FileRetention(overdue))


def _server(asked: Asked, now: Callable[[], datetime]) -> "ServerStore":
    from sereno_backends.logs.health.elasticsearch_look import look_at_elasticsearch, look_twice
    from sereno_backends.logs.health.opening import open_server
    from sereno_collectors.logs.doctor import ServerStore

    connection, name = open_server(asked.location)
    with closing(connection):
        client = connection.client()
        if asked.watch_seconds:
            health = look_twice(lambda: look_at_elasticsearch(client, name, asked.retentions, now), asked.watch_seconds)
        else:
            health = look_at_elasticsearch(client, name, asked.retentions, now)
        return ServerStore(health, _retentions(asked, client, name, health.streams, now), bool(asked.watch_seconds))


def _retentions(
    asked: Asked, client: "Elasticsearch", name: str, streams: "tuple[Stream, ...]", now: Callable[[], datetime]
) -> "StreamRetentions":
    from sereno_backends.logs.elasticsearch_client import explained
    from sereno_backends.logs.lifecycle import Lifecycle, Manager
    from sereno_backends.logs.lifecycle.managers import manager_of, policy_trouble, without_retention
    from sereno_collectors.logs.doctor import StreamRetentions

    plan = None if asked.retentions is None else Lifecycle(client, name, asked.retentions, now).plan()
    with explained(name):
        manager = manager_of(client, "*") if plan is None else plan.manager
        trouble = policy_trouble(client) if manager is Manager.INDEX_LIFECYCLE else None
        return StreamRetentions(plan, without_retention(client, streams, manager), trouble, _elsewhere(asked, streams))


def _elsewhere(asked: Asked, streams: "tuple[Stream, ...]") -> frozenset[str]:
    """Streams of Sereno's that the retention file doesn't govern, for their namespace."""
    governed = None if asked.retentions is None else asked.retentions.namespace
    return frozenset(each.name for each in streams if each.is_ours and each.namespace != governed)
