"""What a load generator will do, and when. Pure, so that a seed and a shape give the same load again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from reference_system.traffic import relative_traffic

_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """One request to send."""

    method: str
    path: str
    body: Mapping[str, str | int] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Mix(Protocol):
    """Chooses requests, and learns from answers."""

    def next(self) -> PlannedRequest:
        """The next request; as many random draws whatever was learnt, so that the mix of a seed stays the same."""
        ...

    def learn(self, asked: PlannedRequest, answer: object) -> None:
        """What a success answered, as JSON.

        Raises:
            ValueError, TypeError, KeyError: it is no answer of our service.
        """
        ...


@dataclass(frozen=True, slots=True)
class DayShape:
    """Traffic that goes up and down with the time of a day that may pass faster than real ones."""

    start: datetime
    speed: float
    """Simulated seconds for each real second."""

    def __call__(self, elapsed_seconds: float) -> float:
        """Traffic relative to the mean, so many real seconds after the start."""
        return relative_traffic(self.start + timedelta(seconds=elapsed_seconds * self.speed % _DAY_SECONDS))


def flat(_: float) -> float:
    """Traffic that is the same at any time."""
    return 1.0


def due_times(requests_per_second: float, shape: Callable[[float], float]) -> Iterator[float]:
    """When each request is due, in real seconds after the start: evenly spaced at the rate of the moment."""
    due = 0.0
    while True:
        yield due
        due += 1.0 / (requests_per_second * shape(due))


def one_of(options: Sequence[str], choice: float) -> str:
    """The option that a random number of [0, 1) picks."""
    return options[int(choice * len(options))]
