"""What the stages of the log collector exchange: one frozen value, to which each stage adds what it found out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sereno_backends.logs import LogRecord, WriteResult


@dataclass(frozen=True, slots=True)
class Position:
    """How far one file was read. It outlives the file's name: rotation renames a file, its position stays its own."""

    path: str
    """The followed path, absolute: where the file was when it was found."""
    source: str
    """The file's identity in record ids; the same file has the same one after every restart."""
    inode: int
    generation: int
    """How many other files of this path had this inode before (a truncation makes another file, too)."""
    offset: int = 0
    """Bytes that were read: always the beginning of a line."""
    tail: str = ""
    """Fingerprint of the last bytes before `offset`: tells the file from another one that took its place."""
    modified_ns: int = 0
    """The file's modification time when it was last read."""
    finished: bool = False
    """It was rotated away and read to its end: nothing more is expected."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a followed file, without its end."""

    path: str
    source: str
    offset: int
    content: bytes
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Batch:
    """What is on its way together: from lines read, over records, to the store's answer."""

    lines: tuple[Line, ...] = ()
    positions: tuple[Position, ...] = ()
    """Where every file stands once these lines are dealt with."""
    records: tuple[LogRecord, ...] = ()
    """One record a line, in the order of `lines`, once they are parsed."""
    answer: WriteResult | None = None
    """What the store said; None before, and where there was nothing to store."""


class Stage(Protocol):
    """One step of the collector: takes a batch and returns it with its own findings added."""

    def __call__(self, batch: Batch, /) -> Batch:
        """Do this step's work.

        Raises:
            LogStoreError: the store does not take the batch now; calling again with the same batch is right.
            OSError: a local file can't be written; likewise.
        """
        ...
