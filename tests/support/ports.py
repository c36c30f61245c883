"""Ports are chosen free, never fixed."""

import os
import secrets
import socket
from contextlib import suppress

_FIRST, _END = 20_000, 32_000
"""Above the demo's own, below those that Linux gives to outgoing connections (32768): no connection takes one."""
_WORKERS = 8
_given: set[int] = set()


def free_port() -> int:
    """A TCP port on loopback that nobody listened on a moment ago, and that no other worker is given."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    share = (_END - _FIRST) // _WORKERS
    mine = range(_FIRST + worker * share, _FIRST + (worker + 1) * share)
    while True:
        port = secrets.choice(mine)
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            if port not in _given or len(_given) > share // 2:
                _given.add(port)
                return port
