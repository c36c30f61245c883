"""Serving an application over HTTP until Ctrl-C: for every command that listens."""

import signal
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")


def listen(host: str, port: int) -> socket.socket:
    """Bind before the server starts, so that a taken port is a message and not a traceback of the server.

    Raises:
        OSError: the address can't be listened on.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    # With the protocol: asyncio switches Nagle's algorithm off only where it stands, and answers take 40 ms with it.
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def address_of(host: str, listener: socket.socket) -> str:
    """The address to show: of port 0, the one that was chosen."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


def serve(app: "FastAPI", listener: socket.socket) -> None:
    """Serve until Ctrl-C or SIGTERM; requests that are being answered have five seconds to end."""
    import uvicorn

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a supervisor's polite end is the same as Ctrl-C
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=5))
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:  # uvicorn raises the signal again after its clean shutdown
        return
