"""`python -m transactions_api`: configured by the environment, stopped by SIGTERM."""

import os
import sys

from reference_system.program import run

from transactions_api.server import SERVICE, ports, serve
from transactions_api.settings import read_settings

if __name__ == "__main__":
    sys.exit(run(SERVICE, read_settings(os.environ), ports, serve))
