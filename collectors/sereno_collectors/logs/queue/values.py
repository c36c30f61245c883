"""What the queue says of itself, and what it is told of its parcels."""

from dataclasses import dataclass

from sereno_collectors.logs.model import Parcel


@dataclass(frozen=True, slots=True)
class QueueState:
    """What the queue holds at one moment."""

    documents: int
    size_bytes: int
    limit_bytes: int
    oldest_queued_at: float | None
    """Seconds since 1970; None while it is empty."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a parcel: everything in it is dealt with, or all but the rest."""

    parcel: Parcel
    rest: bytes = b""
    """What is to be sent again, in the form of `Parcel.body`."""
