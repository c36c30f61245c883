"""The ports of a program: all are taken before anything starts, and all are served until a signal."""

import asyncio
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI

ADMIN_HOST = "127.0.0.1"
"""Where faults are switched, and nowhere else."""

# From SIGTERM on, so that a program's own parts have time left of two seconds.
_REQUESTS_MAY_TAKE_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Port:
    """A port that a program listens on, and the variable that chooses it."""

    host: str
    port: int
    variable: str


@dataclass(frozen=True, slots=True)
class PortTaken:
    """A port that can't be listened on, and why."""

    wanted: Port
    reason: str

    def __str__(self) -> str:
        return (
            f"port {self.wanted.port} on {self.wanted.host} can't be listened on ({self.reason}): "
            f"set {self.wanted.variable} to a free one"
        )


def listen(wanted: Sequence[Port]) -> tuple[socket.socket, ...] | PortTaken:
    """Open all ports, or none."""
    opened: list[socket.socket] = []
    for port in wanted:
        try:
            family, *_, address = socket.getaddrinfo(
                port.host, port.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            listener = socket.socket(family, socket.SOCK_STREAM)
            opened.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(100)  # now, so that nobody else can take a port that we were given
        except OSError as error:
            for each in opened:
                each.close()
            return PortTaken(port, error.strerror or str(error))
    return tuple(opened)


def serve(apps: Sequence[FastAPI], sockets: Sequence[socket.socket]) -> None:
    """Serve each app on its socket until SIGTERM or SIGINT; a second signal doesn't wait for requests."""
    asyncio.run(_serve_until_signal(tuple(map(_server, apps)), sockets))


class _Server(uvicorn.Server):
    """A uvicorn that leaves signals to us: two of them in one process would take them from each other."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _server(app: FastAPI) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            log_config=None,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=_REQUESTS_MAY_TAKE_SECONDS,
        )
    )


async def _serve_until_signal(servers: Sequence[_Server], sockets: Sequence[socket.socket]) -> None:
    def stop() -> None:
        for server in servers:
            server.force_exit = server.should_exit
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    await asyncio.gather(*(server.serve([one]) for server, one in zip(servers, sockets, strict=True)))
