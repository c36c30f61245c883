"""`python -m etl.upstream`: configured by the environment, stopped by SIGTERM."""

import os
import sys
from functools import partial

from reference_system.program import run

from etl.service import ports, serve
from etl.settings import read_settings
from etl.upstream.app import KINDS, SERVICE, build

if __name__ == "__main__":
    settings = read_settings(os.environ, port=18158, admin_port=18159)
    sys.exit(run(SERVICE, settings, ports, partial(serve, SERVICE, KINDS, build)))
