"""The numbers of the rules, as data: what counts as "soon after", and over which windows figures are counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class DoraPolicy:
    """How far apart two facts may be to belong together. Facts that name each other belong together at any distance."""

    incident_within: timedelta = timedelta(hours=1)
    """An incident that begins so soon after a deployment is put down to it."""
    rollback_within: timedelta = timedelta(hours=24)
    """Taking a deployment back so soon means that it failed; later it may be a decision about the product."""
    hotfix_within: timedelta = timedelta(hours=24)
    """The same of a next deployment that its provider calls unplanned."""
    rework_within: timedelta = timedelta(hours=24)
    """A deployment so soon after an incident began, while it is open, is its repair: tickets stay open for longer."""

    @property
    def undecided(self) -> timedelta:
        """After so long, nothing but an incident that names the deployment changes its verdict."""
        return max(self.incident_within, self.rollback_within, self.hotfix_within)


DEFAULT_POLICY: Final = DoraPolicy()
WINDOWS: Final[Mapping[str, timedelta]] = MappingProxyType(
    {"7d": timedelta(days=7), "30d": timedelta(days=30), "90d": timedelta(days=90)}
)
QUANTILES: Final = (0.5, 0.9)
"""The median is what DORA asks about; the other shows the tail."""
