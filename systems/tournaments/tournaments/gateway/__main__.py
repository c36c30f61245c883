"""`python -m tournaments.gateway`: configured by the environment, stopped by SIGTERM."""

import os
import sys

from reference_system.program import run

from tournaments.gateway.server import SERVICE, serve
from tournaments.settings import GatewaySettings, read_gateway

if __name__ == "__main__":
    sys.exit(run(SERVICE, read_gateway(os.environ), GatewaySettings.ports, serve))
