"""What prometheus_client keeps in its files: read them, and have it open them anew.

Its value class (`prometheus_client.values.ValueClass`) is chosen when it is imported: with PROMETHEUS_MULTIPROC_DIR in
the environment it keeps values in mapped files, one for each kind of metric and process, whose name has the process's
number.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict

Labels = tuple[tuple[str, str], ...]

_CORRUPT = (RuntimeError, struct.error, UnicodeDecodeError, ValueError, IndexError, MemoryError)


@dataclass(frozen=True, slots=True)
class Series:
    """One sample's identity, as prometheus_client writes it into its files."""

    family: str
    name: str
    labels: Labels
    """Sorted by name."""
    documentation: str


class Entry(NamedTuple):
    """One value of a file."""

    key: str
    value: float
    timestamp: float
    """Unix time in seconds for gauges of the most recent process, else 0."""


def in_use() -> bool:
    """Whether prometheus_client keeps values in files: decided by the environment when it was imported."""
    return bool(getattr(values.ValueClass, "_multiprocess", False))


def keep_values_in_memory() -> None:
    """Let the metrics that are made from now on be those of this process alone."""
    values.ValueClass = values.MutexValue


def open_anew() -> bool:
    """Have prometheus_client close its files and open them by name before the next value is read or written.

    It does so by itself in a child after a fork, when it sees another process number than the one it remembers; values
    that a file has are read from there, in a new one they begin at 0. False where its inside is not as expected.
    """
    check = getattr(values.ValueClass, "_MmapedValue__check_for_pid_change", None)
    code, cells = getattr(check, "__code__", None), getattr(check, "__closure__", None)
    if code is None or cells is None:
        return False
    remembered = dict(zip(code.co_freevars, cells, strict=True)).get("pid")
    if remembered is None or not isinstance(remembered.cell_contents, dict):
        return False
    remembered.cell_contents["value"] = None
    return True


def read_entries(path: Path, on_error: Callable[[Exception], None]) -> Iterator[Entry]:
    """The values in a file; what comes after a torn place is told to `on_error` and left out.

    Raises:
        FileNotFoundError: it is gone.
    """
    if path.stat().st_size == 0:  # just being made
        return
    place = 0
    try:
        for key, value, timestamp, position in MmapedDict.read_all_values_from_file(str(path)):  # type: ignore[no-untyped-call]
            if position <= place:  # a negative length leads back, and round and round
                raise ValueError(f"{path.name} is no file of metrics")
            place = position
            yield Entry(key, value, timestamp)
    except _CORRUPT as error:
        on_error(error)


@lru_cache(maxsize=65_536)
def series(key: str) -> Series | None:
    """What a file's key says; None if it isn't one."""
    try:
        document: Any = orjson.loads(key)
        family, name, labels, documentation = document
        pairs = tuple(sorted(labels.items()))
    except (orjson.JSONDecodeError, TypeError, ValueError, AttributeError):
        return None
    texts = (family, name, documentation, *(text for pair in pairs for text in pair))
    return Series(family, name, pairs, documentation) if all(isinstance(text, str) for text in texts) else None
