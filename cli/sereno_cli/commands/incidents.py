"""`sereno incidents`: receive Alertmanager's pages and keep incident records."""

from datetime import UTC, datetime
from pathlib import Path

import click

from sereno_cli.exit_codes import ExitCode
from sereno_cli.serving import LOOPBACK_HOSTS, address_of, listen
from sereno_cli.serving import serve as serve_application

DEFAULT_DATABASE = Path("var/incidents.sqlite")


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
    listener = listen(host, port, command="sereno incidents")
    if host not in LOOPBACK_HOSTS:
        click.echo(f"warning: whoever reaches {host} can write incidents: there is no authentication", err=True)
    with listener, store.held_open():
        where = address_of(listener, host)
        click.echo(f"incidents: listening on {where}, records in {database}, Ctrl-C stops")
        serve_application(create_receiver(store, clock=lambda: datetime.now(UTC)), listener)
    return ExitCode.OK
