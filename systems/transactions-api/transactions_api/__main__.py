"""`python -m transactions_api`: configured by the environment, stopped by SIGTERM.

Exit codes: 0 stopped as told, 2 a variable is wrong, 3 a port, the database or the log file can't be opened.
"""

import logging
import os
import sys
from collections.abc import Mapping

from sereno_telemetry import configure_logging

from transactions_api.server import SERVICE, PortTaken, listen, serve
from transactions_api.settings import WrongSettings, read_settings
from transactions_api.store import StoreUnavailable

OK = 0
WRONG_SETTINGS = 2
UNREACHABLE = 3


def main(environment: Mapping[str, str]) -> int:
    """Run the service; its exit code."""
    settings = read_settings(environment)
    if isinstance(settings, WrongSettings):
        return _failed(*settings.mistakes, code=WRONG_SETTINGS)
    sockets = listen(settings)
    if isinstance(sockets, PortTaken):
        return _failed(
            f"port {sockets.port} on {sockets.host} can't be listened on ({sockets.reason}): "
            f"set {sockets.variable} to a free one",
            code=UNREACHABLE,
        )
    try:
        configure_logging(SERVICE, path=settings.log_file)
    except OSError as error:
        return _failed(f"the log file {settings.log_file} can't be opened: {error.strerror}", code=UNREACHABLE)
    for warning in settings.unknown:
        logging.getLogger("transactions_api").warning(warning)
    try:
        serve(settings, sockets)
    except StoreUnavailable as error:
        return _failed(f"{error} (TRANSACTIONS_DATABASE={settings.database})", code=UNREACHABLE)
    return OK


def _failed(*messages: str, code: int) -> int:
    for message in messages:
        sys.stderr.write(f"{SERVICE}: {message}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(os.environ))
