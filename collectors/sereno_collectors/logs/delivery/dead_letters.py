"""The file of dead letters: JSON lines, each with the reason and the original line."""

import os
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

import orjson
from sereno_backends.logs.ecs import format_timestamp, lookup

from sereno_collectors.logs.delivery.letter import DeadLetter
from sereno_collectors.logs.delivery.original_lines import proven_line

MOST_REMEMBERED = 100_000
LOOK_BACK_BYTES = 16 * 1024 * 1024
"""More than one batch of lines can be: what a killed collector may write a second time stands within these bytes."""


class DeadLetters:
    """The file of dead letters; a letter that a killed collector had written already is not written again.

    Args:
        path: JSON lines, appended to; made with the first letter.
        now: the time of day.
    """

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self._path = path
        self._now = now
        self._kept_earlier: set[str] | None = None

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def has(self, record_id: str) -> bool:
        """Whether the letter of a record is among the newest of the file."""
        return record_id in self._earlier()

    def keep(self, letters: Iterable[DeadLetter]) -> None:
        """Append the letters that are not there yet; on disk when this returns.

        Raises:
            OSError: the file can't be written.
        """
        earlier = self._earlier()
        fresh = {letter.record.record_id: letter for letter in letters if letter.record.record_id not in earlier}
        if not fresh:
            return
        with self._path.open("ab") as file:
            if file.tell() and not _ends_whole(self._path):
                file.write(b"\n")  # a kill cut the last letter off; the new one must not grow out of it
            file.write(b"".join(self._as_json(letter) for letter in fresh.values()))
            file.flush()
            os.fsync(file.fileno())
        if len(earlier) > MOST_REMEMBERED:
            earlier.clear()
        earlier.update(fresh)  # what could not be settled comes again

    def _earlier(self) -> set[str]:
        if self._kept_earlier is None:
            self._kept_earlier = _recent_ids(self._path)
        return self._kept_earlier

    def _as_json(self, letter: DeadLetter) -> bytes:
        record = letter.record
        # Collected again, a numbered line that is the same byte by byte gets the same id.
        line = proven_line(letter.body, record.record_id) or orjson.dumps(record.document)
        content = {
            "@timestamp": format_timestamp(self._now()),
            "reason": letter.reason,
            "record_id": record.record_id,
            "log.file.path": lookup(record.document, "log.file.path"),
            "log.offset": lookup(record.document, "log.offset"),
            "line": line.decode(),
        }
        return orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE)


def _recent_ids(path: Path) -> set[str]:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LOOK_BACK_BYTES))
            lines = file.read().splitlines()
    except FileNotFoundError:
        return set()
    ids: set[str] = set()
    for line in lines:
        try:
            ids.add(orjson.loads(line)["record_id"])
        except (ValueError, KeyError, TypeError):
            continue  # the first line that is cut by the seek, the last that is cut by a kill
    return ids


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
