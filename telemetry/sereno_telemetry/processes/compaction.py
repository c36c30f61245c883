"""Files of dead processes made one, so that workers may come and go for ever.

Everything here happens under the folder's lock. A process that is killed in the middle leaves the folder in one of
these states; all of them show the same figures, and the next one who tidies up goes on from there:

1. Files of the dead process were renamed into `dead/`, under names that nobody uses twice. A new process with the same
   number begins with files of its own.
2. `dead.json` was replaced by one that has their values added and *names them*. Whoever reads the folder leaves out
   files that are named there. Replacing is one rename: there is the old sum without them, or the new one with them.
3. Some of them were removed.
4. What else the process left (exemplars, member file) was removed.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from prometheus_client.samples import Exemplar

from sereno_telemetry.processes.exemplars import from_json, merge_exemplars, number_to_json, read_exemplars, to_json
from sereno_telemetry.processes.folder import MetricFile, SharedFolder, metric_file, replace
from sereno_telemetry.processes.mapped import read_entries
from sereno_telemetry.processes.merging import Amount, Amounts, Source, add

MOST_DEAD_PROCESSES = 16
"""Gauges of mode `all` are one series for each process, dead or alive: of the dead, those of so many remain."""

OnError = Callable[[Exception], None]


@dataclass(frozen=True, slots=True)
class Dead:
    """The sums of dead processes."""

    amounts: Amounts = field(default_factory=dict)
    exemplars: dict[str, Exemplar] = field(default_factory=dict)
    contained: frozenset[str] = frozenset()
    """Names of files in `dead/` that are in the sums already."""


def compact(folder: SharedFolder, pids: Iterable[int], on_error: OnError) -> None:
    """Add what the dead processes `pids` left to the sums, and finish what somebody was killed in; under the lock."""
    gone = set(pids)
    for file in folder.metric_files():
        if file.pid in gone:
            _set_aside(folder, file)
    if waiting := dead_files(folder):
        before = read_dead(folder, on_error)
        _write(folder, _with_files(before, waiting, folder, gone, on_error))
        for file in waiting:
            file.path.unlink(missing_ok=True)
    for pid in gone:
        folder.exemplars(pid).unlink(missing_ok=True)
        folder.member_file(pid).unlink(missing_ok=True)


def _set_aside(folder: SharedFolder, file: MetricFile) -> None:
    if file.only_while_alive:
        file.path.unlink(missing_ok=True)
    else:
        file.path.rename(folder.dead / f"{file.path.name}.{time.time_ns()}")


def dead_files(folder: SharedFolder) -> list[MetricFile]:
    """Files that are on their way into the sums, whether they have arrived or not."""
    found = [metric_file(path, path.name.rpartition(".")[0]) for path in sorted(folder.dead.iterdir())]
    return [file for file in found if file is not None]


def _with_files(
    before: Dead, waiting: Iterable[MetricFile], folder: SharedFolder, gone: Iterable[int], on_error: OnError
) -> Dead:
    amounts: Amounts = {source: dict(values) for source, values in before.amounts.items()}
    exemplars = dict(before.exemplars)
    contained = set()
    for file in waiting:
        contained.add(file.path.name)
        if file.path.name not in before.contained:
            add(amounts, file.kind, file.mode, file.pid, read_entries(file.path, on_error))
    for pid in gone:
        merge_exemplars(exemplars, read_exemplars(folder.exemplars(pid), on_error))
    return Dead(_bounded(amounts), exemplars, frozenset(contained))


def _bounded(amounts: Amounts) -> Amounts:
    """Without the gauges of the longest dead; a source's place in the order is when its process died."""
    processes = [source.pid for source in amounts if source.pid is not None]
    dropped = set(processes[:-MOST_DEAD_PROCESSES])
    return {source: values for source, values in amounts.items() if source.pid not in dropped}


def _path(folder: SharedFolder) -> Path:
    return folder.own / "dead.json"


def _write(folder: SharedFolder, dead: Dead) -> None:
    document = {
        "version": 1,
        "contained": sorted(dead.contained),
        "amounts": [
            [*source, {key: [number_to_json(amount.value), amount.timestamp] for key, amount in values.items()}]
            for source, values in dead.amounts.items()
        ],
        "exemplars": {key: to_json(exemplar) for key, exemplar in dead.exemplars.items()},
    }
    replace(_path(folder), orjson.dumps(document))


def read_dead(folder: SharedFolder, on_error: OnError) -> Dead:
    """The sums so far; under the lock. What can't be read is told to `on_error` and begins at nothing."""
    try:
        return _parse(orjson.loads(_path(folder).read_bytes()))
    except FileNotFoundError:
        return Dead()
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        on_error(error)
        with contextlib.suppress(OSError):
            _path(folder).unlink()
        return Dead()


def _parse(document: Mapping[str, Any]) -> Dead:
    amounts = {
        Source(kind, mode, pid): {key: Amount(float(value), timestamp) for key, (value, timestamp) in values.items()}
        for kind, mode, pid, values in document["amounts"]
    }
    return Dead(amounts, from_json(document["exemplars"]), frozenset(document["contained"]))
