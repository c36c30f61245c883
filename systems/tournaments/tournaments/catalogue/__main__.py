"""`python -m tournaments.catalogue`: configured by the environment, stopped by SIGTERM."""

import os
import sys

from reference_system.program import run

from tournaments.catalogue.service import SERVICE
from tournaments.service import serve
from tournaments.settings import ServiceSettings, read_service

if __name__ == "__main__":
    sys.exit(
        run(
            SERVICE.name,
            read_service("CATALOGUE_", 18130, os.environ),
            ServiceSettings.ports,
            lambda settings, sockets: serve(SERVICE, settings, sockets),
        )
    )
