"""The faults that a processing worker can have."""

from reference_system.disturbance import RATIO
from reference_system.faults import FaultKind, Parameter

STUCK = FaultKind("stuck", "The worker holds its connection and takes nothing more from the queue.")
HELD_BACK = FaultKind(
    "held-back",
    "A part of the events waits in the worker before it is stored, as behind a lock that somebody forgot.",
    (RATIO, Parameter("seconds", "how long it waits", default=90.0, above=0.0, up_to=3600.0)),
)

KINDS = (STUCK, HELD_BACK)
