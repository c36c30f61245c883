"""`python -m fitness.users`: configured by the environment, stopped by SIGTERM."""

import os
import sys

from reference_system import program

from fitness.users.server import SERVICE, run
from fitness.users.settings import Settings, read_settings

if __name__ == "__main__":
    sys.exit(program.run(SERVICE, read_settings(os.environ), Settings.ports, run))
