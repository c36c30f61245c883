"""Who belongs to a group of processes, and when a new group begins.

A group lives while any member lives, or the process that starts its workers. The first process after that begins a new
one: what the old one left is removed, and everything counts from 0 since now. All of it happens under the folder's
lock, so whichever process comes first does it, and nobody does it twice.
"""

import logging
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from sereno_telemetry.processes.compaction import compact
from sereno_telemetry.processes.folder import MetricFile, SharedFolder, process_exists, replace
from sereno_telemetry.processes.mapped import in_use, open_anew
from sereno_telemetry.processes.supervisor import Supervisor, supervisor
from sereno_telemetry.processes.usage import process_age_seconds

_CLOCK_ERROR_SECONDS = 0.5  # times of files are those of the last tick, and /proc/uptime has two decimals

_logger = logging.getLogger("sereno_telemetry")


@dataclass(frozen=True, slots=True)
class _Record:
    """What `group.json` says."""

    started_seconds: float
    supervisor: Supervisor | None
    adopted: frozenset[str]
    """Files that were there when the group began, of processes that live and hadn't joined."""


def join(folder: SharedFolder, now_seconds: float) -> None:
    """Make this process a member, of the group that lives or of a new one.

    Raises:
        OSError: the folder can't be used.
    """
    folder.create()
    with folder.locked():
        _join(folder, now_seconds)


def rejoin(folder: SharedFolder) -> None:
    """Become a member again after somebody has emptied the folder; under the lock."""
    folder.forget_claim()
    _join(folder, time.time())


def _join(folder: SharedFolder, now_seconds: float) -> None:
    known = _read(folder)
    record = _begin(folder, now_seconds) if known is None or not _lives(folder, known) else _come_in(folder, known)
    _write(folder, record)
    if in_use() and not open_anew():
        _logger.warning("this version of prometheus_client is unknown: metrics made before this import may be lost")
    folder.claim()


def join_after_fork(folder: SharedFolder) -> None:
    """Make a child a member; its parent is one, so its group lives.

    Files with the child's number are those of a dead process that had the number before.
    """
    folder.forget_locks()
    with folder.locked():
        compact(folder, [os.getpid()], _log)
        folder.claim()


def started_seconds(folder: SharedFolder) -> float:
    """Since when the group counts, in seconds since the Unix epoch; under the lock."""
    record = _read(folder)
    if record is None:  # somebody has damaged the file: from now on is as good as any other answer
        record = _Record(time.time(), supervisor(), frozenset())
        _write(folder, record)
    return record.started_seconds


def _lives(folder: SharedFolder, record: _Record) -> bool:
    others = (pid for pid in folder.pids() if pid != os.getpid())
    return any(folder.has_claim(pid) for pid in others) or (record.supervisor is not None and record.supervisor.lives())


def _begin(folder: SharedFolder, now_seconds: float) -> _Record:
    """Remove what earlier groups left."""
    adopted = set()
    for file in folder.metric_files():
        if _is_of_a_process_about_to_join(file):
            adopted.add(file.path.name)
        else:
            file.path.unlink(missing_ok=True)
    for path in folder.own.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "lock":
            path.unlink()
    folder.create()
    return _Record(now_seconds, supervisor(), frozenset(adopted))


def _is_of_a_process_about_to_join(file: MetricFile) -> bool:
    """Whether a living process has written `file`, and not an earlier one of the same number.

    Containers give their processes the same numbers after each restart.
    """
    if file.pid == os.getpid() or not process_exists(file.pid):
        return False
    age = process_age_seconds(file.pid)
    return age is None or file.path.stat().st_mtime > time.time() - age - _CLOCK_ERROR_SECONDS


def _come_in(folder: SharedFolder, record: _Record) -> _Record:
    """Make room for this process in a group that lives."""
    ours = {file.path.name for file in folder.metric_files() if file.pid == os.getpid()}
    if folder.member_file(os.getpid()).exists():
        compact(folder, [os.getpid()], _log)  # a dead member had our number
    for name in ours & record.adopted:
        (folder.path / name).unlink(missing_ok=True)
    boss = record.supervisor
    return _Record(
        record.started_seconds, boss if boss is not None and boss.lives() else supervisor(), record.adopted - ours
    )


def _path(folder: SharedFolder) -> Path:
    return folder.own / "group.json"


def _read(folder: SharedFolder) -> _Record | None:
    try:
        document: Any = orjson.loads(_path(folder).read_bytes())
        boss = document["supervisor"]
        return _Record(
            float(document["started_seconds"]),
            None if boss is None else Supervisor(int(boss["pid"]), str(boss["start"])),
            frozenset(document["adopted"]),
        )
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        return None


def _write(folder: SharedFolder, record: _Record) -> None:
    boss = record.supervisor
    document = {
        "version": 1,
        "started_seconds": record.started_seconds,
        "supervisor": None if boss is None else {"pid": boss.pid, "start": boss.start},
        "adopted": sorted(record.adopted),
    }
    replace(_path(folder), orjson.dumps(document))


def _log(error: Exception) -> None:
    _logger.warning("telemetry failed while reading what a dead process left", exc_info=error)
