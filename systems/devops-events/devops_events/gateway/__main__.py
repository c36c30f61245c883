"""`python -m devops_events.gateway`: writes nginx.conf and becomes nginx, in the foreground."""

import os
import sys

from reference_system.program import run

from devops_events.gateway.serving import SERVICE, serve
from devops_events.gateway.settings import read_settings

if __name__ == "__main__":
    # No ports: nginx takes its own.
    sys.exit(run(SERVICE, read_settings(os.environ), lambda _: (), serve))
