"""Where Elasticsearch's dead letters go: into a data stream of its own; into the file where even that refuses them."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import orjson
from sereno_backends.logs import LogStore, LogStoreRefused, LogStoreUnreachable
from sereno_backends.logs.dead_letters import DATASET
from sereno_backends.logs.ecs import format_timestamp, lookup, sequence_of, source_of
from sereno_backends.logs.elasticsearch_store import ElasticsearchLogStore
from sereno_backends.logs.trouble import WaitReason

from sereno_collectors.logs.delivery.dead_letters import DeadLetters
from sereno_collectors.logs.delivery.letter import DeadLetter, KeepsDeadLetters
from sereno_collectors.logs.delivery.original_lines import original_line

_TYPE = re.compile(r"[a-z_]+(?=: )")
_FOR_GOOD = frozenset({WaitReason.FORBIDDEN, WaitReason.UNPREPARED})
"""Nobody gives a privilege or mends a template for the letters' sake: they need not wait for it."""


class DeadLetterStream:
    """The data stream `logs-sereno.dead_letter-<namespace>`; a letter has its record's id, so that it is there once.

    Args:
        store: the server.
        file: takes what the stream refuses (no privilege, a template of somebody's own).
        now: the time of day.
        report: takes what a person should know, one sentence each.
    """

    def __init__(
        self,
        store: ElasticsearchLogStore,
        file: DeadLetters,
        *,
        now: Callable[[], datetime],
        report: Callable[[str], None],
    ) -> None:
        self._store = store
        self._file = file
        self._now = now
        self._report = report
        self._has_complained = False

    def keep(self, letters: Iterable[DeadLetter]) -> None:
        """Store the letters that are not there yet; stored when this returns.

        Raises:
            LogStoreUnreachable: the server can't take them now.
            OSError: the stream refuses them, and the file can't be written.
        """
        fresh = {letter.record.record_id: letter for letter in letters if not self._file.has(letter.record.record_id)}
        if not fresh:
            return
        stream = self._store.dead_letters
        try:
            stored = self._store.stored_ids(stream, list(fresh))  # those before a rollover, too
        except LogStoreRefused as error:
            self._keep_in_file(list(fresh.values()), str(error))
            return
        left = [letter for record_id, letter in fresh.items() if record_id not in stored]
        if left:
            self._create(stream, left)

    def _create(self, stream: str, letters: Sequence[DeadLetter]) -> None:
        moment = format_timestamp(self._now())
        body = b"".join(bulk_lines(letter, stream, moment) for letter in letters)
        answer = self._store.create_lines(body, len(letters), {stream})
        if answer.trouble is not None and answer.trouble.reason not in _FOR_GOOD:
            raise LogStoreUnreachable(answer.trouble.message)
        refused = [*answer.waiting, *(refusal.position for refusal in answer.refusals)]
        if refused:
            reason = answer.trouble.message if answer.trouble else answer.refusals[0].reason
            self._keep_in_file([letters[position] for position in sorted(refused)], reason)

    def _keep_in_file(self, letters: Sequence[DeadLetter], reason: str) -> None:
        self._file.keep(letters)
        if not self._has_complained:  # the next reason names another value, and says nothing new
            self._has_complained = True
            self._report(f"{self._store.dead_letters} refuses dead letters ({reason}); they go to {self._file.path}")


def bulk_lines(letter: DeadLetter, stream: str, moment: str) -> bytes:
    """A letter as two lines in Elasticsearch's bulk format."""
    record = letter.record
    action = orjson.dumps({"create": {"_index": stream, "_id": record.record_id}})
    return b"%b\n%b\n" % (action, orjson.dumps(_document(letter, moment)))


def _document(letter: DeadLetter, moment: str) -> dict[str, object]:
    record, found = letter.record, letter.record.document
    path, offset = lookup(found, "log.file.path"), lookup(found, "log.offset")
    kind = _TYPE.match(letter.reason)
    line = original_line(letter)
    told = {
        "service.name": record.service,
        "service.node.name": source_of(found),
        "event.sequence": sequence_of(found),
        "log.level": record.level,
        "log.file.path": path if isinstance(path, str) else None,
        "log.offset": offset if type(offset) is int else None,
        "trace.id": record.trace_id,
        "error.type": kind.group() if kind else None,
    }
    kept = {
        "stream": letter.stream,
        "record_id": record.record_id,
        "timestamp": format_timestamp(record.timestamp),
        "document": letter.body.decode(),
        "line": None if line is None else line.decode(),
    }
    return {
        "@timestamp": moment,
        "event.dataset": DATASET,
        "event.kind": "pipeline_error",
        "message": record.message,
        "error.message": letter.reason,
        **{name: value for name, value in told.items() if value is not None},
        "sereno": {"dead_letter": {name: value for name, value in kept.items() if value}},
    }


def dead_letters_of(
    store: LogStore, file: DeadLetters, *, now: Callable[[], datetime], report: Callable[[str], None]
) -> KeepsDeadLetters:
    """Where the letters of a store go: Elasticsearch keeps its own, the embedded store leaves them to the file."""
    return DeadLetterStream(store, file, now=now, report=report) if isinstance(store, ElasticsearchLogStore) else file
