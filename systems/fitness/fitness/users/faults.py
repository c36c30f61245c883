"""The faults that the users service can have."""

from reference_system.disturbance import ERRORS, LATENCY, RATIO
from reference_system.faults import FaultKind

JWT_KEY_MISMATCH = FaultKind(
    "jwt-key-mismatch", "Tokens are signed with a key that no service knows, as by a pod with an old secret.", (RATIO,)
)

KINDS = (ERRORS, LATENCY, JWT_KEY_MISMATCH)
