"""The faults that an ingestion node can have."""

from collections.abc import Callable

from reference_system.disturbance import ERRORS, LATENCY, RATIO
from reference_system.faults import FaultKind, Faults, Share

CONFIRMS_LOST = FaultKind(
    "confirms-lost",
    "The broker's confirm gets lost after an event was published: 503, and the event is on the queue.",
    (RATIO,),
)

KINDS = (ERRORS, LATENCY, CONFIRMS_LOST)


class VaultTimeout(Exception):  # noqa: N818 - reads as what happened
    """The vault that keeps the platforms' secrets gave no answer in time."""


def read_vault() -> None:
    """Ask the vault, which doesn't answer: what is broken while the fault `errors` is on."""
    raise VaultTimeout("the vault of secrets did not answer within 2.0 s")


def confirms_lost(faults: Faults) -> Callable[[], bool]:
    """Asked for each event: whether its confirm gets lost."""
    share = Share()

    def lost() -> bool:
        active = faults.active(CONFIRMS_LOST)
        return active is not None and share.takes(active.settings["ratio"])

    return lost
