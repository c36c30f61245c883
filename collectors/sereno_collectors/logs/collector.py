"""The log collector: inputs, intake, queue and delivery at work together, and ended in the right order.

inputs ─► intake (parse, enrich) ─► durable queue ─► delivery ─► the store, or the dead letters
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import partial
from pathlib import Path
from threading import Event, Thread

from sereno_backends.logs import LogStore

from sereno_collectors.logs.delivery.dead_letter_stream import dead_letters_of
from sereno_collectors.logs.delivery.dead_letters import DeadLetters
from sereno_collectors.logs.delivery.delivery import Delivery, DeliveryParts
from sereno_collectors.logs.inputs.files.checkpoint import Checkpoint
from sereno_collectors.logs.inputs.files.files_input import FilesInput
from sereno_collectors.logs.inputs.timing import utc_now
from sereno_collectors.logs.intake import IntakeParts, QueueingIntake
from sereno_collectors.logs.messages import MessageMetrics
from sereno_collectors.logs.metrics import CollectorMetrics
from sereno_collectors.logs.model import Input, QueueFull
from sereno_collectors.logs.parsing.enrichment import Enrichment
from sereno_collectors.logs.parsing.formats import Formats
from sereno_collectors.logs.parsing.parser import Parser
from sereno_collectors.logs.queue import DurableQueue
from sereno_collectors.logs.reconciling.tracker import SequenceTracker

DEFAULT_LIMIT_BYTES = 1_000_000_000
SAVE_SECONDS = 1.0
EMPTYING_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The outside world of a collector besides files and store."""

    metrics: CollectorMetrics
    report: Callable[[str], None]
    """Takes what a person should know, one sentence each."""
    now: Callable[[], datetime] = utc_now
    monotonic: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user may choose."""

    files: tuple[Path, ...]
    """Paths or patterns."""
    queue: Path
    dead_letters: Path
    limit_bytes: int = DEFAULT_LIMIT_BYTES
    formats: Formats = field(default_factory=Formats)
    zone: tzinfo = UTC
    """Of times in text that name no zone."""
    service: str | None = None
    dataset: str | None = None
    namespace: str = "default"
    enrichment: Enrichment = field(default_factory=Enrichment)
    outputs: tuple[Path, ...] = ()
    """What else is written beside queue and dead letters: no pattern may make a collector read itself."""


class LogCollector:
    """Follows files and stores each of their events once, by way of a durable queue.

    A file's position is committed together with the events that were read, and an event leaves the queue when the
    store has answered for it. Killed in between, the collector sends the same documents again, and the store knows them
    by their ids. The checkpoint says where reading would begin if the queue's file were lost.

    Args:
        settings: what the user chose.
        store: where the documents go.
        checkpoint: where the positions are noted down that the store has answered for.
        stop: set to end `follow`.
        surroundings: metrics, time, and whom to tell.
        inputs: who reads what comes otherwise than by files.

    Raises:
        QueueError: the queue's file can't be used.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        store: LogStore,
        checkpoint: Checkpoint,
        stop: Event,
        surroundings: Surroundings,
        inputs: Sequence[Input] = (),
    ) -> None:
        metrics, report, monotonic = surroundings.metrics, surroundings.report, surroundings.monotonic
        self._checkpoint = checkpoint
        self._stop = stop
        self._monotonic = monotonic
        self._saved_at = -SAVE_SECONDS
        self._report = report
        self._complaint = ""
        self._queue = DurableQueue(
            settings.queue,
            limit_bytes=settings.limit_bytes,
            positions=checkpoint.positions,
            now=time.time,
            report=report,
        )
        self._files = FilesInput(
            settings.files,
            known=self._queue.positions,
            own=(settings.queue, settings.dead_letters, *settings.outputs),
            report=report,
            formats=settings.formats,
            service=settings.service,
            dataset=settings.dataset,
            now=surroundings.now,
            monotonic=monotonic,
        )
        parser = Parser(namespace=settings.namespace, enrichment=settings.enrichment, zone=settings.zone)
        sequences, messages = SequenceTracker(), MessageMetrics(monotonic=time.monotonic)
        self._intake = QueueingIntake(
            IntakeParts(parser, self._queue, metrics, report, watch=(sequences.observe, messages.observe)),
            stop=stop,
            monotonic=time.monotonic,
        )
        dead_letters = DeadLetters(settings.dead_letters, surroundings.now)
        self._delivery = Delivery(
            DeliveryParts(
                self._queue,
                store,
                dead_letters_of(store, dead_letters, now=surroundings.now, report=report),
                metrics,
                report,
                settled=self._note_answered,
            )
        )
        metrics.show_messages(messages)
        metrics.show_queue(self._queue.state, lambda: self._files.unread_bytes, lambda: sequences.missing)
        self._inputs: tuple[Input, ...] = (*([self._files] if settings.files else []), *inputs)
        self._closed = False

    def follow(self) -> None:
        """Collect until told to stop, or until no input can give any more.

        Reading ends first, then what is on its way to the store; where the inputs ended by themselves, what is queued.

        Raises:
            Exception: a part failed in a way that nobody foresaw; nothing is lost, what was read is queued.
        """
        bugs: list[Exception] = []
        read = Event()
        sender = _started("delivery", lambda: self._delivery.run(read), bugs, self._stop)
        readers = [
            _started(one.name, partial(one.run, self._intake, self._stop), bugs, self._stop) for one in self._inputs
        ]
        for reader in readers:
            reader.join()
        while not self._stop.is_set() and self._queue.state().documents:
            self._stop.wait(EMPTYING_SECONDS)
        read.set()
        sender.join()
        self.close()
        if bugs:
            raise bugs[0]

    def collect_once(self) -> None:
        """Collect what is in the files now, last lines without an end included, and return; `close` is the caller's.

        Raises:
            LogStoreError: the store takes nothing; what was read is queued, and the next run goes on from there.
            QueueFull: the queue takes no more, and the store nothing.
            OSError: the dead letters can't be written.
        """
        troubles: list[Exception] = []
        read, failed = Event(), Event()
        sender = _started("delivery", lambda: self._delivery.finish(read), troubles, failed)
        try:
            self._files.run_once(
                _Hurried(self._intake, lambda: not failed.is_set() and self._queue.state().documents > 0)
            )
        except QueueFull:
            if not failed.is_set():
                raise
        finally:
            read.set()
            sender.join()
        if troubles:
            raise troubles[0]

    def collect_batch(self) -> bool:
        """Read what is new, up to a batch, and bring it into the store; False when there was nothing.

        Raises:
            LogStoreError: the store takes nothing; what was read is queued.
        """
        read = Event()
        read.set()
        self._delivery.finish(read)  # makes room
        found = self._files.read_batch(_Hurried(self._intake, lambda: False))
        self._delivery.finish(read)
        return found

    def close(self) -> None:
        """Close the files and the queue; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._files.close()
        self._save_answered()
        self._queue.close()

    def _note_answered(self) -> None:
        """Save the positions that the store has answered for, once a second at most."""
        if self._files.has_caught_up:
            self._queue.trust()
        if self._monotonic() - self._saved_at >= SAVE_SECONDS:
            self._saved_at = self._monotonic()
            self._save_answered()

    def _save_answered(self) -> None:
        try:
            self._checkpoint.save(self._queue.answered)
        except OSError as error:  # the old one is whole, and only needed where the queue is lost
            complaint = f"the checkpoint can't be written: {error.strerror}; the queue knows the positions"
            if complaint != self._complaint:
                self._complaint = complaint
                self._report(complaint)


@dataclass(frozen=True, slots=True)
class _Hurried:
    """An intake that is waited for only as long as there is hope: a run to the end must come to one."""

    intake: QueueingIntake
    is_hopeful: Callable[[], bool]
    """Whether the queue may get room again."""

    @property
    def is_ending(self) -> bool:
        return not self.is_hopeful()

    def accept(self, *given: object, **options: object) -> None:
        self.intake.accept(*given, **options)  # type: ignore[arg-type]


def _started(name: str, work: Callable[[], None], bugs: list[Exception], stop: Event) -> Thread:
    def guarded() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - raised again by `follow`
            bugs.append(error)
            stop.set()

    # A daemon: one that hangs in a request must not hold up the end; what was not answered is sent again.
    thread = Thread(target=guarded, name=name, daemon=True)
    thread.start()
    return thread
