"""Everything that was seen, judged: the worst comes first."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from sereno_backends.logs.health.model import DiskForecast, ElasticsearchHealth, SqliteHealth

from sereno_collectors.logs.doctor.dead_letter_findings import DeadLetterFigures, dead_letter_findings
from sereno_collectors.logs.doctor.disk_findings import disk_findings, sqlite_findings
from sereno_collectors.logs.doctor.index_findings import (
    block_findings,
    rejection_findings,
    shard_findings,
    template_findings,
)
from sereno_collectors.logs.doctor.model import Finding
from sereno_collectors.logs.doctor.queue_findings import QueueFigures, queue_findings
from sereno_collectors.logs.doctor.retention_findings import (
    FileRetention,
    StreamRetentions,
    file_retention_findings,
    stream_retention_findings,
)


@dataclass(frozen=True, slots=True)
class ServerStore:
    """An Elasticsearch."""

    health: ElasticsearchHealth
    retention: StreamRetentions
    watched: bool
    """Growth and rejections are those between two looks."""


@dataclass(frozen=True, slots=True)
class FileStore:
    """A SQLite store."""

    health: SqliteHealth
    retention: FileRetention


@dataclass(frozen=True, slots=True)
class Patient:
    """What was seen."""

    store: ServerStore | FileStore
    queue: QueueFigures | None
    queue_limit_bytes: int
    dead_letters: DeadLetterFigures | None
    """Of the collector's file; a server's own are in its health."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What the doctor says."""

    store: str
    looked_at: datetime
    disks: tuple[DiskForecast, ...]
    findings: tuple[Finding, ...]
    """Worst first."""

    @property
    def is_healthy(self) -> bool:
        """Nobody has to do anything."""
        return not any(each.needs_somebody for each in self.findings)


def examine(patient: Patient) -> Examination:
    """Judge what was seen."""
    health = patient.store.health
    stream = None if isinstance(health, SqliteHealth) else health.dead_letters
    findings = [
        *_of_store(patient.store),
        *queue_findings(patient.queue, patient.queue_limit_bytes),
        *dead_letter_findings(stream, patient.dead_letters),
    ]
    disks = (health.disk,) if isinstance(health, SqliteHealth) else health.disks
    return Examination(health.name, health.looked_at, disks, tuple(sorted(findings, key=lambda each: each.gravity)))


def _of_store(store: ServerStore | FileStore) -> list[Finding]:
    match store:
        case ServerStore(health, retention, watched):
            return [
                *block_findings(health),
                *disk_findings(health),
                *template_findings(health),
                *shard_findings(health),
                *stream_retention_findings(retention, health.looked_at),
                *rejection_findings(health, watched=watched),
            ]
        case FileStore(file_health, file_retention):
            return [*sqlite_findings(file_health), *file_retention_findings(file_retention)]
        case _:
            assert_never(store)
