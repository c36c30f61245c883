"""What an SLO would have done in the past, as a plan tells it: the seam to whoever replays the past."""

from dataclasses import dataclass
from typing import Protocol

from sereno_slo.model import ServiceLevelObjective, Settings


@dataclass(frozen=True, slots=True)
class Consequences:
    """Of one edition of an SLO, in the last `days`."""

    days: float
    remaining_ratio: float | None
    """Of the budget at the end; None where nothing was counted."""
    pages: int
    tickets: int
    coverage_ratio: float
    """In which part of the days' minutes the server has samples."""


@dataclass(frozen=True, slots=True)
class Edition:
    """An SLO as it was, or as it will be."""

    slo: ServiceLevelObjective
    settings: Settings


class Replay(Protocol):
    """Asks a server; may raise its errors."""

    def __call__(
        self, before: Edition | None, after: Edition | None, /
    ) -> tuple[Consequences | None, Consequences | None]:
        """What each of the editions would have done; at least one is there. None is also what can't be replayed."""
        ...
