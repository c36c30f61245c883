"""`python -m fitness.payment_network`: configured by the environment, stopped by SIGTERM."""

import os
import sys

from reference_system import program

from fitness.payment_network.server import SERVICE, run
from fitness.payment_network.settings import Settings, read_settings

if __name__ == "__main__":
    sys.exit(program.run(SERVICE, read_settings(os.environ), Settings.ports, run))
