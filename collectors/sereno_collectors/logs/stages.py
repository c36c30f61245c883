"""The steps after reading, in their order: parse, store, keep what was rejected, save the positions."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from sereno_backends.logs import LogStore, LogStoreError

from sereno_collectors.logs.batch import Batch, Stage
from sereno_collectors.logs.checkpoint import Checkpoint
from sereno_collectors.logs.dead_letters import DeadLetter, DeadLetters
from sereno_collectors.logs.metrics import CollectorMetrics
from sereno_collectors.logs.parse import parse

FIRST_DELAY_SECONDS = 0.2
LONGEST_DELAY_SECONDS = 5.0


class GaveUp(Exception):  # noqa: N818 - reads as what happened
    """A stage failed and is not to be repeated now; nothing is forgotten, the next start reads the batch again."""


@dataclass(frozen=True, slots=True)
class Parse:
    """Lines become records; empty lines vanish."""

    metrics: CollectorMetrics

    def __call__(self, batch: Batch) -> Batch:
        """Add the records."""
        lines = tuple(line for line in batch.lines if line.content.strip())
        parsed = [parse(line) for line in lines]
        for _, flaws in parsed:
            for flaw in flaws:
                self.metrics.flawed(flaw)
        self.metrics.received(len(lines))
        return replace(batch, lines=lines, records=tuple(record for record, _ in parsed))


@dataclass(frozen=True, slots=True)
class StoreRecords:
    """Records go into the store."""

    store: LogStore
    metrics: CollectorMetrics

    def __call__(self, batch: Batch) -> Batch:
        """Add the store's answer."""
        if not batch.records:
            return batch
        answer = self.store.write(batch.records)
        self.metrics.answered(answer)
        return replace(batch, answer=answer)


@dataclass(frozen=True, slots=True)
class KeepRejected:
    """What the store refused for good goes into the file of dead letters."""

    dead_letters: DeadLetters
    metrics: CollectorMetrics

    def __call__(self, batch: Batch) -> Batch:
        """Write the letters; the batch stays as it is."""
        if batch.answer is None or not batch.answer.rejections:
            return batch
        lines = {record.record_id: line for record, line in zip(batch.records, batch.lines, strict=True)}
        letters = [
            DeadLetter(rejection.record_id, rejection.reason, lines[rejection.record_id])
            for rejection in batch.answer.rejections
        ]
        self.dead_letters.keep(letters)
        self.metrics.dead_lettered(len(letters))
        return batch


@dataclass(frozen=True, slots=True)
class SavePositions:
    """What was answered is not read again."""

    checkpoint: Checkpoint

    def __call__(self, batch: Batch) -> Batch:
        """Save the positions; the batch stays as it is."""
        self.checkpoint.save(batch.positions)
        return batch


@dataclass(frozen=True, slots=True)
class Persistently:
    """Repeats another stage until it succeeds, with growing, scattered pauses.

    Args:
        stage: a stage that may be called again with the same batch.
        wait: pauses for so many seconds; False when it is time to give up.
        report: told of the first failure and of the recovery, not of each attempt.
        scatter: a number in [0, 1); many collectors must not come back in step.
    """

    stage: Stage
    wait: Callable[[float], bool]
    metrics: CollectorMetrics
    report: Callable[[str], None]
    scatter: Callable[[], float] = random.random

    def __call__(self, batch: Batch) -> Batch:
        """Call the stage.

        Raises:
            GaveUp: it failed, and there is no time to try again.
        """
        delay_seconds = FIRST_DELAY_SECONDS
        failed = False
        while True:
            try:
                done = self.stage(batch)
            except (LogStoreError, OSError) as error:
                self.metrics.failed()
                if not failed:
                    self.report(f"{error}; nothing is lost, trying again")
                failed = True
                if not self.wait(delay_seconds * (0.5 + self.scatter() / 2)):
                    raise GaveUp(str(error)) from error
                delay_seconds = min(2 * delay_seconds, LONGEST_DELAY_SECONDS)
            else:
                if failed:
                    self.report("storing again")
                self.metrics.recovered()
                return done
