"""The faults that this service can have."""

from reference_system.disturbance import ERRORS, LATENCY
from reference_system.faults import FaultKind

SUBSCRIBER_STUCK = FaultKind("subscriber-stuck", "The subscriber takes nothing from the topic; POST goes on.")
DATABASE_GONE = FaultKind("database-gone", "The database file is closed and moved away: reads and writes fail.")

KINDS = (ERRORS, LATENCY, SUBSCRIBER_STUCK, DATABASE_GONE)
