"""`python -m etl.api`: configured by the environment, stopped by SIGTERM."""

import os
import sys
from functools import partial

from reference_system.program import run

from etl.api.app import KINDS, SERVICE, build
from etl.service import ports, serve
from etl.settings import read_settings

if __name__ == "__main__":
    settings = read_settings(os.environ, port=18150, admin_port=18151)
    sys.exit(run(SERVICE, settings, ports, partial(serve, SERVICE, KINDS, build)))
