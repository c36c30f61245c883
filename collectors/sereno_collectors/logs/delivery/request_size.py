"""How large a request to the store may be: halved when the server has too much to do, grown again slowly."""

from dataclasses import dataclass
from threading import Lock

SMALLEST_SHARE = 1 / 64
"""Of the full size. Smaller requests help nobody: their fixed costs outweigh the documents."""
GROWTH_SHARE = 1 / 20
"""Of the full size, after each request that went well."""
GROWTH_RATIO = 1 / 4
"""Of the size of now, which is less at the bottom: the next request must not be several times what went well."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one request may hold."""

    documents: int
    size_bytes: int


class RequestSize:
    """The size of requests that the server copes with; thread-safe, one for all workers of a delivery.

    Additive increase and multiplicative decrease, as TCP does it (RFC 5681): many collectors before one server come to
    fair shares, and one does not swing between too much and nothing. From the bottom to the top it takes 28 requests.

    Args:
        full: the size when nothing is wrong.
    """

    def __init__(self, full: Limits) -> None:
        self._full = full
        self._share = 1.0
        self._lock = Lock()

    @property
    def limits(self) -> Limits:
        """For the next request; at least one document."""
        share = self._share
        return Limits(max(1, int(self._full.documents * share)), max(1, int(self._full.size_bytes * share)))

    def went_well(self, documents: int, size_bytes: int) -> None:
        """A request of this size was answered; one far below the limits says nothing about larger ones."""
        with self._lock:
            limits = self.limits
            if 2 * documents >= limits.documents or 2 * size_bytes >= limits.size_bytes:
                self._share = min(1.0, self._share + min(GROWTH_SHARE, self._share * GROWTH_RATIO))

    def was_too_much(self, tried: Limits) -> None:
        """The server refused a request for its size or for lack of time, or did not answer in time.

        Args:
            tried: the limits that held for it; of two requests that failed at the same limits one counts.
        """
        with self._lock:
            if self.limits.documents >= tried.documents:
                self._share = max(SMALLEST_SHARE, self._share / 2)
