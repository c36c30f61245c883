"""`python -m fitness.ingress`: configured by the environment, stopped by SIGTERM."""

import os
import sys

from reference_system import program

from fitness.ingress.server import SERVICE, run
from fitness.ingress.settings import Settings, read_settings

if __name__ == "__main__":
    sys.exit(program.run(SERVICE, read_settings(os.environ), Settings.ports, run))
