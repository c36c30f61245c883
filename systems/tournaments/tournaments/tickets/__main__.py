"""`python -m tournaments.tickets`: configured by the environment, stopped by SIGTERM."""

import os
import sys

from reference_system.program import run

from tournaments.service import serve
from tournaments.settings import ServiceSettings, read_service
from tournaments.tickets.service import SERVICE

if __name__ == "__main__":
    sys.exit(
        run(
            SERVICE.name,
            read_service("TICKETS_", 18140, os.environ),
            ServiceSettings.ports,
            lambda settings, sockets: serve(SERVICE, settings, sockets),
        )
    )
