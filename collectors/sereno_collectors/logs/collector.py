"""The log collector: reads lines from files and carries them through the stages into the store."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from sereno_backends.logs import LogStore

from sereno_collectors.logs.batch import Batch, Line, Stage
from sereno_collectors.logs.checkpoint import Checkpoint
from sereno_collectors.logs.dead_letters import DeadLetters
from sereno_collectors.logs.metrics import CollectorMetrics
from sereno_collectors.logs.stages import GaveUp, KeepRejected, Parse, Persistently, SavePositions, StoreRecords
from sereno_collectors.logs.tail import Tail

BATCH_LINES = 1000
POLL_SECONDS = 0.2
FLUSH_SECONDS = 0.8


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The outside world of a collector besides files and store."""

    metrics: CollectorMetrics
    report: Callable[[str], None]
    """Takes what a person should know, one sentence each."""
    now: Callable[[], datetime] = _now
    monotonic: Callable[[], float] = time.monotonic


class LogCollector:
    """Follows files and stores each of their lines once.

    Reading goes on only when the store has answered for what was read before: while the store is down, the files are
    the queue. A file's position is saved after the answer; killed in between, the collector sends the same records
    again, and the store knows them by their ids.

    Args:
        files: paths to follow; one that does not exist yet is waited for.
        store: where the records go.
        checkpoint: where reading continues and is noted down.
        dead_letters: file for what the store refuses for good.
        stop: set to end `follow`, and to give up waiting for the store.
        surroundings: metrics, time, and whom to tell.
    """

    def __init__(
        self,
        files: Sequence[Path],
        *,
        store: LogStore,
        checkpoint: Checkpoint,
        dead_letters: Path,
        stop: Event,
        surroundings: Surroundings,
    ) -> None:
        self._checkpoint = checkpoint
        self._stop = stop
        self._surroundings = surroundings
        metrics, report = surroundings.metrics, surroundings.report
        paths = dict.fromkeys(str(file.absolute()) for file in files)
        self._tails = tuple(
            Tail(
                path,
                [position for position in checkpoint.positions if position.path == path],
                monotonic=surroundings.monotonic,
                report=report,
            )
            for path in paths
        )
        # Files that are not followed this time keep their positions for the next.
        self._others = tuple(position for position in checkpoint.positions if position.path not in paths)
        self._stages: tuple[Stage, ...] = (
            Parse(metrics),
            Persistently(StoreRecords(store, metrics), self._wait, metrics, report),
            Persistently(
                KeepRejected(DeadLetters(dead_letters, surroundings.now), metrics), self._wait, metrics, report
            ),
            Persistently(SavePositions(checkpoint), self._wait, metrics, report),
        )
        self._patient = True
        self._closed = False

    def follow(self) -> None:
        """Collect until told to stop; then what is in the files already, for a second at most."""
        try:
            while not self._stop.is_set():
                if not self.collect_batch():
                    self._stop.wait(POLL_SECONDS)
            deadline = self._surroundings.monotonic() + FLUSH_SECONDS
            while self.collect_batch() and self._surroundings.monotonic() < deadline:
                pass
        except GaveUp:
            pass  # stopped while the store was down: the positions say where to go on
        finally:
            self.close()

    def collect_once(self) -> None:
        """Collect what is in the files now, last lines without an end included, and return.

        Raises:
            GaveUp: the store or a local file did not take it; the message says why. The next run goes on from there.
        """
        self._patient = False
        try:
            while self.collect_batch():
                pass
            self._carry(tuple(line for tail in self._tails for line in tail.read_last_line(self._surroundings.now())))
        finally:
            self.close()

    def collect_batch(self) -> bool:
        """Read what is new, up to a batch, and see it through all stages; False when there was nothing.

        Raises:
            GaveUp: a stage failed and it was time to stop; make another collector, this one has read too far.
        """
        if self._closed:
            raise RuntimeError("this collector has ended")
        lines = self._read()
        self._carry(lines)
        return bool(lines)

    def close(self) -> None:
        """Close the files; nothing can be collected any more."""
        self._closed = True
        for tail in self._tails:
            tail.close()

    def _read(self) -> tuple[Line, ...]:
        self._look()
        read_at = self._surroundings.now()
        share = max(1, BATCH_LINES // len(self._tails))  # a busy file must not starve the others
        return tuple(line for tail in self._tails for line in tail.read(share, read_at))

    def _carry(self, lines: tuple[Line, ...]) -> None:
        positions = tuple(position for tail in self._tails for position in tail.positions)
        batch = Batch(lines=lines, positions=(*self._others, *positions))
        for stage in self._stages:
            batch = stage(batch)
        self._measure_lag()

    def _look(self) -> None:
        for tail in self._tails:
            tail.look()

    def _wait(self, seconds: float) -> bool:
        """Pause, and keep an eye on rotation meanwhile: a file that is open can't be deleted from under us."""
        if not self._patient:
            return False
        end = self._surroundings.monotonic() + seconds
        while (left := end - self._surroundings.monotonic()) > 0:
            if self._stop.wait(min(left, POLL_SECONDS)):
                return False
            self._look()
            self._measure_lag()
        return not self._stop.is_set()

    def _measure_lag(self) -> None:
        stored = {position.source: position.offset for position in self._checkpoint.positions}
        sizes = [size for tail in self._tails for size in tail.sizes().items()]
        self._surroundings.metrics.lag(sum(max(0, size - stored.get(source, 0)) for source, size in sizes))
