"""What an SLO would have done in the past, as a plan tells it: the seam to whoever replays the past."""

from dataclasses import dataclass
from typing import Protocol

from sereno_slo.model import ServiceLevelObjective, Settings


@dataclass(frozen=True, slots=True)
class Consequences:
    """Of one version of an SLO, in the last `days`."""

    days: float
    remaining_ratio: float | None
    """Of the budget at the end; None where nothing was counted."""
    pages: int
    tickets: int
    coverage_ratio: float
    """How much of the days the server has samples of."""


class Replay(Protocol):
    """Asks a server; may raise its errors."""

    def __call__(self, slo: ServiceLevelObjective, settings: Settings) -> Consequences:
        """What this version would have done."""
        ...
