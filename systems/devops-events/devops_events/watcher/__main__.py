"""`python -m devops_events.watcher`: configured by the environment, stopped by SIGTERM."""

import os
import sys

from reference_system.program import run

from devops_events.watcher.server import SERVICE, ports, serve
from devops_events.watcher.settings import read_settings

if __name__ == "__main__":
    sys.exit(run(SERVICE, read_settings(os.environ), ports, serve))
