"""The faults that the programs of this system can have."""

from reference_system.disturbance import ERRORS, LATENCY
from reference_system.faults import FaultKind, Faults, Parameter, Share

from transactions_api.card_network import authorize

CARD_NETWORK_FLAKY = FaultKind(
    "card-network-flaky",
    "A few payments are not authorized in time, and answer 500.",
    (Parameter("ratio", "part of the POST requests that it hits", default=0.03, above=0.0, up_to=1.0),),
)
SUBSCRIBER_STUCK = FaultKind("subscriber-stuck", "The subscriber takes nothing from the topic; POST goes on.")
DATABASE_GONE = FaultKind(
    "database-gone", "The database is taken away from everybody: reads fail, and what is published waits."
)
TABLE_LOCKED = FaultKind(
    "table-locked",
    "A batch job locks the table again and again: writes are made again, and only the log knows.",
    (Parameter("seconds", "how long each lock is held, and how long it is free", default=0.5, above=0.0, up_to=1.0),),
)

API_KINDS = (ERRORS, LATENCY, CARD_NETWORK_FLAKY, DATABASE_GONE)
"""Of the API, where the subscriber is a process of its own."""
SUBSCRIBER_KINDS = (SUBSCRIBER_STUCK, TABLE_LOCKED)
KINDS = (ERRORS, LATENCY, CARD_NETWORK_FLAKY, SUBSCRIBER_STUCK, DATABASE_GONE)
"""Of all in one process."""


class FlakyCardNetwork:
    """A dependency of the requests that the card network has to authorize; does nothing while its fault is off."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._failing = Share()

    async def __call__(self) -> None:
        """Fail this request, if it is its turn."""
        active = self._faults.active(CARD_NETWORK_FLAKY)
        if active is not None and self._failing.takes(active.settings["ratio"]):
            authorize()
