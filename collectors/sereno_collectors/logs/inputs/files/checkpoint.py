"""How far every file was read, kept across restarts in one small file."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_type_hints

import orjson

from sereno_collectors.logs.locking import hold
from sereno_collectors.logs.model import Position

FORMAT_VERSION = 1
_KINDS = get_type_hints(Position)


class CheckpointError(Exception):
    """The checkpoint can't be used; the message says why and what to do."""


class Checkpoint:
    """The saved positions; one collector at a time may hold it.

    Args:
        path: JSON file, replaced as a whole at every save: a kill leaves the old or the new one, never a mixture.
        store: the name of the log store that the positions are true of.

    Raises:
        LockError: another collector holds it.
        CheckpointError: it can't be read or is none.
    """

    def __init__(self, path: Path, *, store: str) -> None:
        self._path = path
        self._store = store
        self._lock = hold(path, what="checkpoint", option="--checkpoint")
        try:
            self._saved, self.earlier_store = _load(path)
        except CheckpointError:
            os.close(self._lock)
            raise

    @property
    def positions(self) -> tuple[Position, ...]:
        """What was saved last."""
        return self._saved

    def save(self, positions: Sequence[Position]) -> None:
        """Keep these positions; on disk when this returns.

        Raises:
            OSError: the file can't be written; the old one is whole.
        """
        if tuple(positions) == self._saved:
            return
        content = {
            "version": FORMAT_VERSION,
            "store": self._store,
            "positions": [asdict(position) for position in positions],
        }
        fresh = self._path.with_name(f"{self._path.name}.new")
        with fresh.open("wb") as file:
            file.write(orjson.dumps(content, option=orjson.OPT_INDENT_2))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        _sync_folder(self._path.parent)
        self._saved = tuple(positions)

    def close(self) -> None:
        """Let another collector have it."""
        os.close(self._lock)


def _load(path: Path) -> tuple[tuple[Position, ...], str | None]:
    """The saved positions and the store that they are of."""
    try:
        content: Any = orjson.loads(path.read_bytes())
        if content["version"] > FORMAT_VERSION:
            raise CheckpointError(f"the checkpoint {path} was written by a newer Sereno: upgrade sereno")
        return tuple(_position(saved) for saved in content["positions"]), str(content["store"])
    except FileNotFoundError:
        return (), None
    except OSError as error:
        raise CheckpointError(f"the checkpoint {path} can't be read: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CheckpointError(
            f"{path} is no checkpoint of a collector, or a damaged one: move it away to read all files from their "
            "beginning (records with an id of their own are not stored twice)"
        ) from error


def _position(saved: Mapping[str, Any]) -> Position:
    """Raises `TypeError` for a value of another kind: it would be met when the file is read."""
    position = Position(**saved)
    for name, value in asdict(position).items():
        if type(value) is not _KINDS[name]:
            raise TypeError(f"{name} is a {type(value).__name__}")
    return position


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
