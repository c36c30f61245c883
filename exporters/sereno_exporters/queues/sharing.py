"""What several parts of a target need in one scrape is fetched once."""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.trouble import FetchError, Reason

Value = TypeVar("Value")


class Shared(Generic[Value]):
    """Parts of one scrape have the same deadline, and get the same value; another scrape fetches anew.

    A fetch that fails fails for the part that asked; whoever asks next tries by itself. Thread-safe.
    """

    def __init__(self, fetch: Callable[[Deadline], Value]) -> None:
        self._fetch = fetch
        self._lock = Lock()
        self._kept: tuple[Deadline, Value] | None = None

    def __call__(self, deadline: Deadline) -> Value:
        """The value of this scrape.

        Raises:
            FetchError: as the fetch does, or the other part took all the time.
        """
        # Who waits gives up with its time: the one that fetches is bound by the same deadline.
        if not self._lock.acquire(timeout=deadline.seconds_left()):
            raise FetchError(Reason.TIMEOUT, "another part of the target took all the time")
        try:
            if self._kept is None or self._kept[0] != deadline:
                self._kept = deadline, self._fetch(deadline)
            return self._kept[1]
        finally:
            self._lock.release()
