"""Reads the store: only what is new since the last time, so that a scrape's cost doesn't grow with the history."""

from collections.abc import Callable, Iterator

from sereno_backends.devops import DevOpsEvent, DevOpsEventStore, NumberedEvent

from sereno_exporters.dora.history import FOLDED, DeliveryHistory, fold

PAGE = 1_000


class HistoryReader:
    """A store's history, kept in memory. Not thread-safe; making one reads nothing yet."""

    def __init__(self, store: DevOpsEventStore) -> None:
        self._store = store
        self._events: dict[str, DevOpsEvent] = {}
        self._last: NumberedEvent | None = None
        self._history: DeliveryHistory | None = None

    def read(self, pause: Callable[[], object] = lambda: None) -> DeliveryHistory:
        """What the store's events say now.

        Args:
            pause: called between pages; it may raise to give up, and the next call goes on where this one was.

        Raises:
            DevOpsStoreUnavailable: the store can't be read.
        """
        for page in self._pages():
            for numbered in page:
                if numbered.event.kind in FOLDED:
                    self._events[numbered.event.event_id] = numbered.event
                    self._history = None
            self._last = page[-1]
            pause()
        if self._history is None:
            self._history = fold(self._events.values())
        return self._history

    def _pages(self) -> Iterator[tuple[NumberedEvent, ...]]:
        if self._last is not None and not self._is_the_same_store(self._last):
            self._events, self._last, self._history = {}, None, None
        while page := tuple(self._store.events_after(0 if self._last is None else self._last.number, limit=PAGE)):
            yield page

    def _is_the_same_store(self, last: NumberedEvent) -> bool:
        """A store that was restored or begun anew has another event, or none, in the place of the last one read."""
        there = self._store.events_after(last.number - 1, limit=1)
        return bool(there) and (there[0].number, there[0].event.event_id) == (last.number, last.event.event_id)


def read_history(store: DevOpsEventStore) -> DeliveryHistory:
    """All that a store's events say together.

    Raises:
        DevOpsStoreUnavailable: the store can't be read.
    """
    return HistoryReader(store).read()
