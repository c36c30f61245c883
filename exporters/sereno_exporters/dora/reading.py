"""Reads the store: only what is new since the last time, so that a scrape's cost doesn't grow with the history."""

from collections.abc import Callable, Iterator

from sereno_backends.devops import DevOpsEventStore, NumberedEvent

from sereno_exporters.dora.history import DeliveryHistory, Folding

PAGE = 1_000


class HistoryReader:
    """A store's history, kept in memory. Not thread-safe; making one reads nothing yet."""

    def __init__(self, store: DevOpsEventStore) -> None:
        self._store = store
        self._folding = Folding()
        self._last: NumberedEvent | None = None

    def read(self, pause: Callable[[], object] = lambda: None) -> DeliveryHistory:
        """What the store's events say now.

        Args:
            pause: called between pages; it may raise to give up, and the next call goes on where this one was.

        Raises:
            DevOpsStoreUnavailable: the store can't be read.
        """
        for page in self._pages():
            self._folding.add(numbered.event for numbered in page)
            self._last = page[-1]
            pause()
        return self._folding.history()

    def _pages(self) -> Iterator[tuple[NumberedEvent, ...]]:
        if self._last is not None and not self._is_the_same_store(self._last):
            self._folding, self._last = Folding(), None
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
