"""The files that a collector follows, as one input."""

import glob
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Event

from sereno_collectors.logs.inputs.files.content import COMPRESSED
from sereno_collectors.logs.inputs.files.tail import Tail
from sereno_collectors.logs.inputs.timing import FLUSH_SECONDS, POLL_SECONDS, utc_now
from sereno_collectors.logs.model import Chunk, Intake, Origin, OriginKind, Position, QueueFull
from sereno_collectors.logs.parsing.formats import Formats

BATCH_EVENTS = 5_000
BATCH_BYTES = 8 * 1024 * 1024
"""Of all files together, and a chunk of each more: long lines must not fill the memory."""
GLOB_SECONDS = 5.0
"""How often patterns are looked at for files that are new."""

_OF_AN_OUTPUT = re.compile(r"|-(?:wal|shm|journal)|\.(?:lock|new|rescued|damaged-\d+|replaced-\d+)(?:-\w+)?")
"""How the names of files go on that the collector writes: `queue.sqlite`, `queue.sqlite-wal`, `queue.sqlite.lock`."""


class FilesInput:
    """Follows files through rotation and hands their events to the intake, oldest file first.

    Args:
        patterns: paths, or patterns as a shell has them (`logs/*.log`, `**` for folders below); a path that names
            nothing yet is waited for.
        known: where an earlier run stood.
        own: what the collector itself writes; never read, nor what SQLite, locks and rescues make beside it.
        report: takes what a person should know, one sentence each.
        formats: how the lines of each file are to be read.
        service: `service.name` of events that name none; None: made of the file's name.
        dataset: `event.dataset` of events that name none.
        now: the time of day; aware.
        monotonic: seconds that only grow.
    """

    def __init__(
        self,
        patterns: Sequence[Path],
        *,
        known: Sequence[Position],
        own: Sequence[Path] = (),
        report: Callable[[str], None],
        formats: Formats = Formats(),  # noqa: B008 - frozen
        service: str | None = None,
        dataset: str | None = None,
        now: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._patterns = tuple(dict.fromkeys(str(pattern.absolute()) for pattern in patterns))
        self._known = tuple(known)
        self._own = tuple(os.path.realpath(path) for path in own)
        self._report = report
        self._origin = Origin(OriginKind.FILE, "", "", service=service, dataset=dataset)
        self._formats = formats
        self._now = now
        self._monotonic = monotonic
        self._tails: dict[str, Tail] = {}
        self._targets: set[str] = set()
        self._globbed_at = -GLOB_SECONDS
        self.has_caught_up = not self._patterns
        """Whether all that stood in the files at the start was handed over."""
        self._find()

    @property
    def name(self) -> str:
        """The files."""
        return "files"

    @property
    def unread_bytes(self) -> int:
        """Bytes in the files that are open and not read."""
        tails = tuple(self._tails.values())
        sizes = {source: size for tail in tails for source, size in tail.sizes().items()}
        read = {position.source: position.offset for tail in tails for position in tail.positions}
        return sum(max(0, size - read.get(source, 0)) for source, size in sizes.items())

    @property
    def positions(self) -> tuple[Position, ...]:
        """Where every file stands; those that are not followed this time keep their place for the next."""
        followed = tuple(position for tail in self._tails.values() for position in tail.positions)
        return (*(position for position in self._known if position.path not in self._tails), *followed)

    def run(self, intake: Intake, stop: Event) -> None:
        """Follow until told to stop; then what is in the files already, for a second at most."""
        try:
            while not stop.is_set():
                if not self.read_batch(intake):
                    stop.wait(POLL_SECONDS)
            deadline = self._monotonic() + FLUSH_SECONDS
            while self.read_batch(intake, ending=True) and self._monotonic() < deadline:
                pass
        except QueueFull:
            pass  # stopped while the queue took nothing: the positions say where to go on
        finally:
            self.close()

    def run_once(self, intake: Intake) -> None:
        """Hand over what is in the files now, last lines without an end included.

        Raises:
            QueueFull: the intake takes no more; the next run goes on from there.
        """
        while self.read_batch(intake):
            pass
        self._hand_over(
            intake, tuple(chunk for tail in self._tails.values() for chunk in tail.read_last_events(self._now()))
        )
        self._note_caught_up()

    def read_batch(self, intake: Intake, *, ending: bool = False) -> bool:
        """Read what is new, up to a batch, and hand it over; False when there was nothing.

        With `ending` also events that might go on in the next line.

        Raises:
            QueueFull: the intake is to stop.
        """
        self._look()
        read_at = self._now()
        files = max(1, len(self._tails))  # a busy one must not starve the others
        share, share_bytes = max(1, BATCH_EVENTS // files), max(1, BATCH_BYTES // files)
        tails = self._tails.values()
        chunks = tuple(chunk for tail in tails for chunk in tail.read(share, share_bytes, read_at, ending=ending))
        self._hand_over(intake, chunks)
        if not chunks:
            self._note_caught_up()
        return bool(chunks)

    def close(self) -> None:
        """Close the files; the positions stay."""
        for tail in self._tails.values():
            tail.close()

    def _note_caught_up(self) -> None:
        self.has_caught_up = self.has_caught_up or not any(tail.is_behind for tail in self._tails.values())

    def _hand_over(self, intake: Intake, chunks: tuple[Chunk, ...]) -> None:
        """Wait for the intake, and keep an eye on rotation meanwhile: a file that is open can't be deleted from us."""
        while True:
            positions = self.positions
            try:
                intake.accept(chunks, positions, patience_seconds=POLL_SECONDS)
            except QueueFull:
                if intake.is_ending:
                    raise
                self._look()
            else:
                return

    def _look(self) -> None:
        self._find()
        for tail in tuple(self._tails.values()):
            tail.look()

    def _find(self) -> None:
        """Follow what the patterns name and is not followed yet."""
        if self._monotonic() - self._globbed_at < GLOB_SECONDS:
            return
        self._globbed_at = self._monotonic()
        wanted = self._wanted()
        for path in wanted:
            if path in self._tails:
                continue
            target = os.path.realpath(path)
            # A file under several names is read by its own, or by the name that was found first.
            if target != path and (target in wanted or target in self._targets):
                continue
            if self._is_own(target):
                continue
            self._targets.add(target)
            self._tails[path] = self._tail(path)

    def _is_own(self, target: str) -> bool:
        """Whether the collector writes it; `logs.sqlite-wal` belongs to `logs.sqlite`."""
        return any(target.startswith(own) and _OF_AN_OUTPUT.fullmatch(target, len(own)) for own in self._own)

    def _wanted(self) -> dict[str, None]:
        """The paths that are named, and those that patterns find, in order."""
        paths: dict[str, None] = {}
        for pattern in self._patterns:
            if not glob.has_magic(pattern) or os.path.isfile(pattern):  # noqa: PTH113 - never an exception
                paths[pattern] = None
                continue
            # Path.glob can't: it wants a folder and a relative pattern, and follows no absolute one.
            found = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207
            # Compressed files are read as what rotation left of a followed one, never as lines of their own.
            files = (path for path in found if path in self._tails or _may_be_file(path))
            paths |= dict.fromkeys(path for path in files if not path.endswith(COMPRESSED))
        return paths

    def _tail(self, path: str) -> Tail:
        return Tail(
            path,
            [position for position in self._known if position.path == path],
            origin=replace(self._origin, path=path, format=self._formats.of(path)),
            monotonic=self._monotonic,
            report=self._report,
        )


def _may_be_file(path: str) -> bool:
    """Whether a file is there; also where that can't be told: who tries to read it says why."""
    try:
        return Path(path).is_file()
    except OSError:
        return True
