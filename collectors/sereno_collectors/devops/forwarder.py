"""Forwards what is on disk to a second store (Elasticsearch), at least once, in the order in which it was received."""

import random
from collections.abc import Callable, Collection, Sequence
from threading import Event
from typing import Final, Protocol, runtime_checkable

from sereno_backends.devops import DevOpsStoreUnavailable
from sereno_backends.devops.documents import DATASET, log_record
from sereno_backends.devops.sqlite_store import SqliteDevOpsEventStore
from sereno_backends.logs import LogStore, LogStoreError
from sereno_backends.logs.elasticsearch_documents import stream_name

from sereno_collectors.devops.metrics import ForwarderMetrics

BATCH: Final = 500
IDLE_SECONDS: Final = 0.5
FIRST_DELAY_SECONDS: Final = 0.5
LONGEST_DELAY_SECONDS: Final = 30.0


@runtime_checkable
class KnowsIds(Protocol):
    """A log store that can be asked for ids: Elasticsearch."""

    @property
    def namespace(self) -> str:
        """The last part of its data streams' names."""
        ...

    def stored_ids(self, stream: str, ids: Sequence[str]) -> Collection[str]:
        """Which of the ids any index of the stream has."""
        ...


class Forwarder:
    """The store of events is the outbox: a number in it says up to where the destination has answered.

    Killed in between, the same events are sent again, and the destination knows them by their ids. Elasticsearch checks
    ids within a stream's newest index only: what may have been sent before is looked for in all of them first.

    Args:
        outbox: what is on disk.
        destination: where it goes.
        metrics: counts the answers.
        report: takes what a person should know, one sentence each.
        scatter: a number in [0, 1); many receivers must not come back in step.
    """

    def __init__(
        self,
        outbox: SqliteDevOpsEventStore,
        destination: LogStore,
        metrics: ForwarderMetrics,
        report: Callable[[str], None],
        scatter: Callable[[], float] = random.random,
    ) -> None:
        self._in_doubt = True
        self._outbox = outbox
        self._destination = destination
        self._metrics = metrics
        self._report = report
        self._scatter = scatter

    def run(self, stop: Event) -> None:
        """Forward until told to stop; a trouble is told once while it lasts."""
        delay_seconds = FIRST_DELAY_SECONDS
        in_trouble = False
        while not stop.is_set():
            try:
                forwarded = self.forward_some()
            except (LogStoreError, DevOpsStoreUnavailable) as error:
                self._metrics.failed()
                if not in_trouble:
                    self._report(f"{error}; nothing is lost, trying again")
                in_trouble = True
                stop.wait(delay_seconds * (0.5 + self._scatter() / 2))
                delay_seconds = min(2 * delay_seconds, LONGEST_DELAY_SECONDS)
                continue
            if in_trouble:
                self._report("forwarding again")
            in_trouble, delay_seconds = False, FIRST_DELAY_SECONDS
            if not forwarded:
                stop.wait(IDLE_SECONDS)

    def forward_some(self) -> int:
        """Forward the next events, and note down that they are; how many these were.

        Raises:
            LogStoreError: the destination takes nothing now.
            DevOpsStoreUnavailable: the outbox can't be read, or not be written.
        """
        name = self._destination.name
        waiting = self._outbox.events_after(self._outbox.forwarded(name), limit=BATCH)
        if not waiting:
            return 0
        was_in_doubt, self._in_doubt = self._in_doubt, True
        known = self._known([one.event.event_id for one in waiting]) if was_in_doubt else frozenset()
        answer = self._destination.write([log_record(one.event) for one in waiting if one.event.event_id not in known])
        refused = {rejection.record_id: rejection.reason for rejection in answer.rejections}
        self._outbox.note_forwarded(name, waiting[-1].number, refused)
        self._in_doubt = False
        self._metrics.forwarded(answer.indexed, answer.duplicates + len(known), len(refused))
        if refused:
            reason = next(iter(refused.values()))
            self._report(f"{name} refused {len(refused)} events, which stay in {self._outbox.name}: {reason}")
        return len(waiting)

    def _known(self, ids: Sequence[str]) -> Collection[str]:
        """Which of the ids are stored already, as far as the destination can say."""
        if not isinstance(self._destination, KnowsIds):
            return frozenset()
        return self._destination.stored_ids(stream_name(DATASET, self._destination.namespace), ids)
