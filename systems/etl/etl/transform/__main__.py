"""`python -m etl.transform`: configured by the environment, stopped by SIGTERM."""

import os
import sys
from functools import partial

from reference_system.program import run

from etl.service import ports, serve
from etl.settings import read_settings
from etl.transform.app import KINDS, SERVICE, build

if __name__ == "__main__":
    settings = read_settings(os.environ, port=18154, admin_port=18155)
    sys.exit(run(SERVICE, settings, ports, partial(serve, SERVICE, KINDS, build)))
