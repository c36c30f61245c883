"""What commands that serve HTTP have in common: listening, TLS and passwords, a clean end."""

import signal
import socket
from typing import TYPE_CHECKING, Any

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    import uvicorn
    from sereno_backends.serving import TlsContext

LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")
_BACKLOG = 64
"""How many connections the system keeps until the server is up, which then says itself how many it takes at once."""


def listen(host: str, port: int, *, command: str) -> socket.socket:
    """Bind before the server starts, so that a taken port is a message and not a traceback of the server.

    Raises:
        click.ClickException: the address can't be listened on; the exit code says that a part can't be reached.
    """
    try:
        return _bound(*socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0])
    except OSError as error:
        raise CannotListen(
            f"{command}: can't listen on {host}:{port}: {error.strerror}; choose another --host or --port"
        ) from error


class CannotListen(click.ClickException):
    """The port is taken, or the address isn't this machine's."""

    exit_code = ExitCode.UNREACHABLE

    def show(self, file: Any = None) -> None:  # noqa: ARG002 - click's signature
        """The message without click's own prefix."""
        click.echo(self.message, err=True)


def address_of(listener: socket.socket, host: str, *, tls: bool = False) -> str:
    """Where it listens, to click on."""
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{shown}:{listener.getsockname()[1]}"


def serve(app: Any, listener: socket.socket, *, tls: "TlsContext | None" = None, **options: Any) -> None:
    """Serve an ASGI application until Ctrl-C or SIGTERM."""
    import uvicorn

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a supervisor's polite end is the same as Ctrl-C
    try:
        uvicorn.Server(configured(app, tls, **options)).run(sockets=[listener])
    except KeyboardInterrupt:  # uvicorn raises the signal again after its clean shutdown
        return


def configured(app: Any, tls: "TlsContext | None", **options: Any) -> "uvicorn.Config":
    """How every server of ours is bounded: heads come in time, connections are so many, ends wait for nobody."""
    import uvicorn

    from sereno_cli.connections import BoundedProtocol, accepted_at_once, ended_politely

    factory: Callable[..., ssl.SSLContext] | None = None if tls is None else lambda *_: tls.context
    return uvicorn.Config(
        ended_politely(app),
        http=BoundedProtocol,
        backlog=accepted_at_once(),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=5,
        ssl_context_factory=factory,
        **options,
    )


def _bound(family: int, kind: int, protocol: int, _name: str, address: Any) -> socket.socket:
    # With the protocol: asyncio switches Nagle's algorithm off only where it stands, and answers take 40 ms with it.
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
