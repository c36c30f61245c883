"""`sereno incidents`: receive pages, keep incident records, write down what people do, report and hand over."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sereno_cli.commands.incident_entries import COMMANDS
from sereno_cli.commands.incident_reports import report
from sereno_cli.exit_codes import ExitCode
from sereno_cli.incident_places import DEFAULT_DATABASE, found, open_place, place_options, say, unreachable
from sereno_cli.public_names import public_name_option
from sereno_cli.serving import LOOPBACK_HOSTS, address_of, listen
from sereno_cli.serving import serve as serve_application

if TYPE_CHECKING:
    from sereno_postmortems.pagerduty_routes import Secrets
    from sereno_postmortems.store import IncidentStore

    from sereno_cli.web_protection import Protection


@click.group()
def command() -> None:
    """Receive pages, keep incident records, write down what people do about them."""


for _other in (*COMMANDS, report):
    command.add_command(_other)


@command.command("list")
@click.option("--status", type=click.Choice(["open", "resolved"]), help="Only these.  [default: all]")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000), help="How many, newest first.")
@place_options
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def list_(status: str | None, limit: int, database: Path | None, incidents: str | None, form: str) -> ExitCode:
    """List incidents, newest first.

    \b
      sereno incidents list
      sereno incidents list --status open --incidents http://127.0.0.1:19093

    Exit codes: 0 listed, 2 wrong arguments, 3 the incidents can't be reached.
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    from sereno_postmortems.sources import IncidentSourceUnreachable

    from sereno_cli.incident_screen import print_list

    place = open_place(database, incidents)
    try:
        chosen = [one for one in place.incidents() if status in (None, one.status.value)][:limit]
    except IncidentSourceUnreachable as error:
        raise unreachable(error) from error
    if form == "json":
        from sereno_cli.json_text import json_text

        click.echo(json_text({"incidents": chosen}), nl=False)
    elif chosen:
        print_list(chosen, datetime.now(UTC))
    else:
        say(f"{place.name} holds no {status + ' ' if status else ''}incidents")
    return ExitCode.OK


@command.command()
@click.argument("incident_id", metavar="ID", default="latest")
@place_options
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def show(incident_id: str, database: Path | None, incidents: str | None, form: str) -> ExitCode:
    """Show all that is on record about an incident; without ID about the latest.

    \b
      sereno incidents show
      sereno incidents show 2026-11-22-transactions-api-availability --format json

    Exit codes: 0 shown, 2 unknown incident, 3 the incidents can't be reached.
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    from sereno_cli.incident_screen import print_incident

    incident = found(open_place(database, incidents), incident_id)
    if form == "json":
        from sereno_cli.json_text import json_text

        click.echo(json_text(incident), nl=False)
    else:
        print_incident(incident, datetime.now(UTC))
    return ExitCode.OK


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
@click.option(
    "--web-config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="TLS, and users of all but PagerDuty's webhook, as Prometheus' own web configuration writes them.",
)
@click.option(
    "--pagerduty-secret-file",
    "secret_files",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Holds the secret of PagerDuty's webhook; several while it is rotated.",
)
@public_name_option("programs and people reach it")
def serve(  # noqa: PLR0917 - click passes them by name
    host: str,
    port: int,
    database: Path,
    web_config: Path | None,
    secret_files: tuple[Path, ...],
    public_names: tuple[str, ...],
) -> ExitCode:
    """Serve Alertmanager's and PagerDuty's webhooks and the incident records until Ctrl-C.

    \b
      sereno incidents serve
      sereno incidents serve --port 8080 --database incidents.sqlite
      sereno incidents serve --host 0.0.0.0 --web-config web.yml --pagerduty-secret-file secrets/pagerduty

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

    Users of --web-config guard all but PagerDuty's webhook, which shows a signature; Alertmanager logs in by
    basic_auth in its http_config, and people are the authors of what they write. Without users there is no
    authentication: entries are then taken only from this machine. On a loopback address, and where --public-name
    says names, whoever asks under another name without a password is refused: no web page can read the records by
    a name of its own that leads here. docs/incidents.md tells more.

    Exit codes: 0 ended well, 2 a file or an argument is wrong, 3 the port is taken.
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    from sereno_postmortems.store import IncidentStore, IncidentStoreUnavailable

    protection = None if web_config is None else _protection(web_config)
    secrets = _secrets(secret_files)
    store = IncidentStore(database)
    try:
        store.prepare()
    except IncidentStoreUnavailable as error:
        say(f"{error}; name another file with --database")
        return ExitCode.INVALID_INPUT
    _serve(store, database, (host, port), _Doors(protection, secrets, public_names))
    return ExitCode.OK


@dataclass(frozen=True, slots=True)
class _Doors:
    """Who may come in."""

    protection: "Protection | None"
    secrets: "Secrets | None"
    public_names: tuple[str, ...]


def _serve(store: "IncidentStore", database: Path, address: tuple[str, int], doors: _Doors) -> None:
    from sereno_postmortems.pagerduty_routes import PATH as PAGERDUTY
    from sereno_postmortems.receiver import create_receiver

    host, protection = address[0], doors.protection
    listener = listen(*address, command="sereno incidents")
    if host not in LOOPBACK_HOSTS:
        _warn(host, protection)
    with listener, store.held_open():
        tls = None if protection is None else protection.tls
        where = address_of(listener, host, tls=tls is not None)
        click.echo(f"incidents: listening on {where}, records in {database}, Ctrl-C stops")
        receiver = create_receiver(store, clock=lambda: datetime.now(UTC), pagerduty_secrets=doors.secrets)
        named = _under_own_names(receiver, host, doors.public_names, PAGERDUTY)
        guarded = named if protection is None else protection.around(named, left_to_app=PAGERDUTY)
        serve_application(guarded, listener, tls=tls)


def _under_own_names(app: Any, host: str, public_names: tuple[str, ...], signed: str) -> Any:
    """The application; `signed` is the path of the webhook that shows a signature, whatever name it is sent to."""
    from sereno_backends.addresses import is_loopback
    from sereno_backends.serving import PROBED, Names, OwnNames

    if not public_names and not is_loopback(host):
        return app
    own = Names(public_names, with_loopback=True, command="sereno incidents serve", for_every_name=(*PROBED, signed))
    return OwnNames(app, own)


def _protection(web_config: Path) -> "Protection":
    """Imported only where it is asked for: it reads YAML with the compiler's parser, which not everyone installs."""
    from sereno_cli.web_protection import Protection, WebConfigInvalid

    try:
        return Protection(web_config)
    except WebConfigInvalid as error:
        raise click.exceptions.Exit(ExitCode.INVALID_INPUT) from error


def _secrets(files: tuple[Path, ...]) -> "Secrets | None":
    """The secrets as they are whenever they are asked for; files that hold none now are a mistake."""
    from sereno_postmortems.secret_files import SecretUnreadable, secrets_in

    if not files:
        return None
    for path in files:
        try:
            secrets_in([path])
        except SecretUnreadable as error:
            say(f"{error}; it is shown once, when the webhook subscription is made")
            raise click.exceptions.Exit(ExitCode.INVALID_INPUT) from error
    return lambda: secrets_in(files)


def _warn(host: str, protection: "Protection | None") -> None:
    """Say what is open to others beyond loopback."""
    if protection is None or not protection.has_users:
        click.echo(f"warning: whoever reaches {host} can write incidents: there is no authentication", err=True)
    if protection is None or protection.tls is None:
        click.echo("warning: there is no TLS here: --web-config names a certificate, or a proxy has one", err=True)
