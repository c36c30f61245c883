"""What the doctor says."""

from dataclasses import dataclass
from enum import IntEnum


class Gravity(IntEnum):
    """How much a finding matters; smaller is worse."""

    BROKEN = 0
    """Documents don't get into the store, or soon won't: now."""
    NEEDS_SOMEBODY = 1
    """It goes wrong if nobody does anything: this week."""
    NOTE = 2
    """Good to know; nobody has to do anything."""
    HEALTHY = 3
    """Looked at, and well."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    gravity: Gravity
    subject: str
    """`disk`, `shards`, `queue`, …"""
    message: str
    """What was seen, with figures."""
    cure: str = ""
    """What to do; empty where nothing has to be done."""

    @property
    def needs_somebody(self) -> bool:
        """Whether a person has to do something."""
        return self.gravity <= Gravity.NEEDS_SOMEBODY
