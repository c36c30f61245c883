"""The faults that the gateway can have."""

from reference_system.disturbance import ERRORS, LATENCY
from reference_system.faults import FaultKind

SECRET_ROTATED = FaultKind("secret-rotated", "The gateway has another secret than accounts: it refuses every token.")
LEAKED_CONNECTIONS = 95
"""Free tiers allow a hundred."""
CONNECTIONS_LEAKED = FaultKind(
    "connections-leaked", f"{LEAKED_CONNECTIONS} connections to Redis are taken and not given back."
)
KINDS = (ERRORS, LATENCY, SECRET_ROTATED, CONNECTIONS_LEAKED)
