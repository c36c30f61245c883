"""A log store as a source of facts: every failure to answer becomes `NotMeasured`, with the reason."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sereno_backends.kibana import Kibana, discover_url
from sereno_backends.logs import LogQuery, LogRecord, LogStore, LogStoreError, MessageCount

from sereno_postmortems.draft.facts import Fact, Measured, NotMeasured, Question, SourceKind
from sereno_postmortems.draft.metrics_source import moment

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Logs:
    """One log store, or none. `missing` says why nothing can be asked; then nothing is."""

    store: LogStore | None
    missing: str | None
    kibana: Kibana | None = None
    """Where people can look at the same documents."""

    def link(self, query: LogQuery) -> str | None:
        """The address that shows the matching records in Kibana; None where there is none."""
        return None if self.kibana is None else discover_url(self.kibana, query)

    def search(self, query: LogQuery) -> Fact[tuple[LogRecord, ...]]:
        """The newest records that match, oldest of them first."""
        return self._ask("records", query, lambda store: store.search(query))

    def count(self, query: LogQuery) -> Fact[int]:
        """How many records match."""
        return self._ask("number of records", query, lambda store: store.count(query))

    def top_messages(self, query: LogQuery) -> Fact[tuple[MessageCount, ...]]:
        """The most frequent messages."""
        return self._ask("most frequent messages", query, lambda store: store.top_messages(query))

    def first(self, query: LogQuery) -> Fact[LogRecord | None]:
        """The oldest record that matches; None if none does."""
        return self._ask("oldest record", query, lambda store: _oldest(store, query))

    def _ask(self, what: str, query: LogQuery, ask: Callable[[LogStore], T]) -> Fact[T]:
        if self.store is None:
            return NotMeasured(self.missing or "no log store was named")
        question = Question(
            SourceKind.LOGS, self.store.name, _words(what, query), f"{moment(query.start)} to {moment(query.end)}"
        )
        if self.missing is not None:
            return NotMeasured(self.missing, (question,))
        try:
            return Measured(ask(self.store), (question,))
        except LogStoreError as error:
            return NotMeasured(str(error), (question,))


def open_logs(store: LogStore | None, now: datetime, kibana: Kibana | None = None) -> Logs:
    """Try the store once: one that doesn't answer is not asked again."""
    if store is None:
        return Logs(None, "no log store was named (--log-store PATH, or SERENO_ELASTICSEARCH_URL)")
    try:
        store.search(LogQuery(start=now, end=now, limit=1))
    except LogStoreError as error:
        return Logs(store, str(error), kibana)
    return Logs(store, None, kibana)


def _oldest(store: LogStore, query: LogQuery) -> LogRecord | None:
    """Stores give the newest records, so halve the window towards its beginning until the rest fits into an answer."""
    start, end = query.start, query.end
    while store.count(_between(query, start, end)) > query.limit:
        middle = start + (end - start) / 2
        if not start < middle < end:  # more records within a microsecond than an answer holds: any is the first
            break
        if store.count(_between(query, start, middle)):
            end = middle
        else:
            start = middle
    found = store.search(_between(query, start, end))
    return found[0] if found else None


def _between(query: LogQuery, start: datetime, end: datetime) -> LogQuery:
    return LogQuery(
        start=start,
        end=end,
        services=query.services,
        levels=query.levels,
        actions=query.actions,
        trace_id=query.trace_id,
        text=query.text,
        limit=query.limit,
    )


def _words(what: str, query: LogQuery) -> str:
    """A query in words that hold for any store."""
    conditions = [
        f"{name} {' or '.join(values)}"
        for name, values in (
            ("service.name", query.services),
            ("log.level", query.levels),
            ("event.action", query.actions),
        )
        if values
    ]
    return f"{what} with {', '.join(conditions)}" if conditions else what
