"""The processes of one service as one: joined at import, added up when any of them is scraped.

Switched on by PROMETHEUS_MULTIPROC_DIR, which prometheus_client reads when it is imported; see `folder` for what lies
in that folder, and `compaction` for what becomes of dead processes.
"""

import logging
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.samples import Exemplar

from sereno_telemetry.metrics.health import TelemetryHealth
from sereno_telemetry.processes import mapped
from sereno_telemetry.processes.compaction import compact, dead_files, read_dead
from sereno_telemetry.processes.exemplars import (
    ExemplarKeeper,
    hand_exemplars_to,
    merge_exemplars,
    read_exemplars,
)
from sereno_telemetry.processes.folder import LOCKS_EXIST, SharedFolder
from sereno_telemetry.processes.joining import FOLDER_VARIABLE
from sereno_telemetry.processes.membership import join, join_after_fork, rejoin, started_seconds
from sereno_telemetry.processes.merging import Amounts, add, families
from sereno_telemetry.processes.usage import group_usage

_logger = logging.getLogger("sereno_telemetry")

_joined: "Group | None" = None


class Group:
    """This process as one of those that share `folder`; made by `join_group`."""

    def __init__(self, folder: SharedFolder) -> None:
        self.folder = folder
        self.keeper = ExemplarKeeper(lambda: folder.exemplars(os.getpid()), self._failed)
        self._health: TelemetryHealth | None = None

    def collect(self, health: TelemetryHealth) -> list[Metric]:
        """The families of all processes, added up, whatever registry they are in; what breaks is told to `health`.

        Raises:
            OSError: the folder can't be read, or (TimeoutError) somebody has stopped while holding its lock.
        """
        self._health = health
        self.folder.create()
        with self.folder.locked():
            if not self.folder.is_member():
                rejoin(self.folder)
                self._failed(FileNotFoundError(f"somebody has emptied {self.folder.path} under the running service"))
            living = self._tidy()
            merged = families(*self._read(living))
            usage = group_usage(self.folder.own / "usage.json", living, self._failed)
            start = GaugeMetricFamily(
                "process_start_time_seconds",
                "Since when the processes of the service count together, since unix epoch in seconds.",
                value=started_seconds(self.folder),
            )
        return [*merged, start, *usage]

    def tidy(self) -> None:
        """Add the figures of dead processes to the sums now rather than at the next scrape; never raises."""
        try:
            with self.folder.locked():
                self._tidy()
        except OSError as error:
            self._failed(error)

    def after_fork(self) -> None:
        """Make a child a member of its own; called in the child before anything else runs there."""
        self.keeper.forget()
        try:
            join_after_fork(self.folder)
        except OSError as error:
            self._failed(error)

    def _tidy(self) -> set[int]:
        pids = self.folder.pids()
        living = {pid for pid in pids if self.folder.lives(pid)}
        try:
            compact(self.folder, pids - living, self._failed)
        except OSError as error:  # no space, for example: the files stay where they are and are read from there
            self._failed(error)
        return living

    def _read(self, living: Iterable[int]) -> tuple[Amounts, Mapping[str, Exemplar]]:
        dead = read_dead(self.folder, self._failed)
        amounts, exemplars = dead.amounts, dead.exemplars
        waiting = [file for file in dead_files(self.folder) if file.path.name not in dead.contained]
        own = [file for file in self.folder.metric_files() if file.pid in living or not file.only_while_alive]
        for file in (*waiting, *own):
            try:
                add(amounts, file.kind, file.mode, file.pid, mapped.read_entries(file.path, self._failed))
            except OSError as error:
                self._failed(error)
        for pid in living:
            merge_exemplars(exemplars, read_exemplars(self.folder.exemplars(pid), self._failed))
        return amounts, exemplars

    def _failed(self, error: Exception) -> None:
        if self._health is not None:
            self._health.note(error, doing="sharing metrics between processes")
        else:
            _logger.warning("telemetry failed while sharing metrics between processes", exc_info=error)


def current_group() -> Group | None:
    """The group that this process has joined; None if it serves its own figures alone."""
    return _joined


def join_group(named: str) -> None:
    """Join the processes that share the folder `named`; once, and never an exception.

    Where the folder can't be used, a warning says why, and the metrics that are made from now on are those of this
    process alone.
    """
    global _joined  # noqa: PLW0603 - one for each process, as prometheus_client's own choice is
    if _joined is not None:
        return
    if not mapped.in_use():
        _logger.warning(
            "%s was set after prometheus_client was imported, so each process serves its own figures alone: set it in "
            "the environment of the server that starts them, or before the first import",
            FOLDER_VARIABLE,
        )
        return
    try:
        _joined = _join(Path(named))
    except Exception as error:  # noqa: BLE001 - a service always starts
        _logger.warning(
            "%s can't be used (%s), so each process serves its own figures alone: name a folder in which the service "
            "may write, on a local disk or better in memory",
            FOLDER_VARIABLE,
            error,
        )
        mapped.keep_values_in_memory()


def _join(path: Path) -> Group:
    if not LOCKS_EXIST:
        raise OSError("this system has no POSIX locks")
    group = Group(SharedFolder(path.absolute()))
    join(group.folder, time.time())
    if not hand_exemplars_to(group.keeper):
        _logger.warning("this version of prometheus_client is unknown: exemplars of several processes are left out")
    os.register_at_fork(after_in_child=group.after_fork)
    return group
