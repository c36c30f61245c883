"""What the load generator will do: which request when. Pure, so that a seed and a shape give the same load again."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from transactions_api.traffic import relative_traffic

READS = 0.7
"""Part of the requests that read; half of those list, half ask for one transaction."""

_DAY_SECONDS = 86_400
_REMEMBERED_IDS = 200
_CURRENCIES = ("EUR", "USD", "COP")


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """One request to send."""

    method: str
    path: str
    body: dict[str, str | int] | None = None


class Mix:
    """Chooses requests: 70 % GET (a list, or one of the transactions that a list showed), 30 % POST."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._ids: deque[str] = deque(maxlen=_REMEMBERED_IDS)

    def learn(self, ids: Sequence[str]) -> None:
        """These transactions are stored."""
        self._ids.extend(ids)

    def next(self) -> PlannedRequest:
        """The next request; the same number of random draws whatever was learnt, so that the mix stays the same."""
        kind, choice = self._random.random(), self._random.random()
        if kind >= READS:
            return PlannedRequest("POST", "/transactions", self._transaction(choice))
        if kind < READS / 2 or not self._ids:
            return PlannedRequest("GET", "/transactions?limit=20")
        return PlannedRequest("GET", f"/transactions/{self._ids[int(choice * len(self._ids))]}")

    def _transaction(self, choice: float) -> dict[str, str | int]:
        return {
            "account": f"ACC-{int(choice * 1_000_000):06d}",
            "amount_cents": 100 + int(choice * 1_000_000) % 50_000,
            "currency": _CURRENCIES[int(choice * 1_000) % len(_CURRENCIES)],
        }


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
