"""The faults that the programs of this system can have."""

from reference_system.disturbance import ERRORS, LATENCY
from reference_system.faults import FaultKind, Parameter

SUBSCRIBER_STUCK = FaultKind("subscriber-stuck", "The subscriber takes nothing from the topic; POST goes on.")
DATABASE_GONE = FaultKind(
    "database-gone", "The database is taken away from everybody: reads fail, and what is published waits."
)
TABLE_LOCKED = FaultKind(
    "table-locked",
    "A batch job locks the table again and again: writes are made again, and only the log knows.",
    (Parameter("seconds", "how long each lock is held, and how long it is free", default=0.5, above=0.0, up_to=1.0),),
)

API_KINDS = (ERRORS, LATENCY, DATABASE_GONE)
"""Of the API, where the subscriber is a process of its own."""
SUBSCRIBER_KINDS = (SUBSCRIBER_STUCK, TABLE_LOCKED)
KINDS = (ERRORS, LATENCY, SUBSCRIBER_STUCK, DATABASE_GONE)
"""Of all in one process."""
