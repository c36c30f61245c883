"""Ports are chosen free, never fixed."""

import secrets
import socket
from contextlib import suppress

_PORTS = range(15_000, 32_000)


def free_port() -> int:
    """A TCP port on loopback that nobody listened on a moment ago.

    None that Linux gives to outgoing connections (from 32768): none of these takes it before it is used.
    """
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
