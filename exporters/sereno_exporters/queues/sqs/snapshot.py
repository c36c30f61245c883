"""What was read of SQS: frozen, in base units."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SqsQueue:
    """One queue; SQS calls its counts approximate."""

    name: str
    visible: int
    in_flight: int
    delayed: int
    dead_letters_to: str | None
    """Name of the queue that gets what this one gives up."""

    @property
    def messages(self) -> int:
        """All of them."""
        return self.visible + self.in_flight + self.delayed


@dataclass(frozen=True, slots=True)
class Calls:
    """API calls of this exporter since it began, by name."""

    by_api: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Queues:
    """The queues that are watched, and those that get their dead letters."""

    watched: tuple[SqsQueue, ...]
    dead_letter_queues: tuple[SqsQueue, ...]
    calls: Calls


@dataclass(frozen=True, slots=True)
class OldestAge:
    """The newest datapoint that CloudWatch has."""

    queue: str
    age_seconds: float
    datapoint_age_seconds: float


@dataclass(frozen=True, slots=True)
class OldestAges:
    """Of queues that have a datapoint; CloudWatch has none of queues that nobody used for hours."""

    ages: tuple[OldestAge, ...]
    calls: Calls
