"""`sereno incidents`: receive Alertmanager's pages and keep incident records."""

import signal
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from fastapi import FastAPI

DEFAULT_DATABASE = Path("var/incidents.sqlite")
LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")


@click.group()
def command() -> None:
    """Receive Alertmanager's pages and keep incident records."""


@command.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=19093, show_default=True, type=click.IntRange(0, 65535), help="Port; 0: any free one.")
@click.option(
    "--database",
    default=DEFAULT_DATABASE,
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="SQLite file; made if missing.",
)
def serve(host: str, port: int, database: Path) -> ExitCode:
    """Serve Alertmanager's webhook and the incident records until Ctrl-C.

    \b
      sereno incidents serve
      sereno incidents serve --port 8080 --database incidents.sqlite

    \b
    Point a webhook receiver of Alertmanager at it:
      webhook_configs:
        - url: http://127.0.0.1:19093/api/v1/alertmanager
          send_resolved: true

    \b
    Then read the records:
      curl http://127.0.0.1:19093/api/v1/incidents?status=open
      sereno postmortem draft latest

    The interface is described at /docs, the receiver's own metrics are at /metrics.
    A delivery is answered 200 only when it is on disk; else 503, and Alertmanager tries again.
    There is no authentication: beyond loopback, put a proxy in front.
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    from sereno_postmortems.receiver import create_receiver
    from sereno_postmortems.store import IncidentStore, IncidentStoreUnavailable

    store = IncidentStore(database)
    try:
        store.prepare()
    except IncidentStoreUnavailable as error:
        click.echo(f"sereno incidents: {error}; name another file with --database", err=True)
        return ExitCode.INVALID_INPUT
    try:
        listener = _listen(host, port)
    except OSError as error:
        click.echo(
            f"sereno incidents: can't listen on {host}:{port}: {error.strerror}; choose another --host or --port",
            err=True,
        )
        return ExitCode.UNREACHABLE
    if host not in LOOPBACK_HOSTS:
        click.echo(f"warning: whoever reaches {host} can write incidents: there is no authentication", err=True)
    with listener, store.held_open():
        chosen = listener.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        click.echo(f"incidents: listening on http://{shown}:{chosen}, records in {database}, Ctrl-C stops")
        _serve(create_receiver(store, clock=lambda: datetime.now(UTC)), listener)
    return ExitCode.OK


def _listen(host: str, port: int) -> socket.socket:
    """Bind before the server starts, so that a taken port is a message and not a traceback of the server."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def _serve(app: "FastAPI", listener: socket.socket) -> None:
    import uvicorn

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a supervisor's polite end is the same as Ctrl-C
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=5))
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:  # uvicorn raises the signal again after its clean shutdown
        return
