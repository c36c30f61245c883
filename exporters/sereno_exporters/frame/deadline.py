"""Until when a fetch may take: handed down to every call, so that many small waits never add up to a long one."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sereno_exporters.frame.trouble import FetchError, Reason


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment of the monotonic clock."""

    ends_at: float
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> "Deadline":
        """That many seconds from now."""
        return cls(clock() + seconds, clock)

    def earlier(self, seconds: float) -> "Deadline":
        """The same, or that many seconds from now if that comes first."""
        return Deadline(min(self.ends_at, self.clock() + seconds), self.clock)

    @property
    def remaining_seconds(self) -> float:
        """What is left; 0 when it has passed."""
        return max(0.0, self.ends_at - self.clock())

    @property
    def has_passed(self) -> bool:
        """Whether nothing is left."""
        return self.remaining_seconds <= 0

    def seconds_left(self) -> float:
        """What is left, for a library's own timeout.

        Raises:
            FetchError: nothing is.
        """
        if self.has_passed:
            raise FetchError(Reason.TIMEOUT, "the time for the scrape is over")
        return self.remaining_seconds
