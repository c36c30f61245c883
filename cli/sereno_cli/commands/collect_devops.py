"""`sereno collect devops`: receive the webhooks of development platforms."""

import os
import threading
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode
from sereno_cli.serving import LOOPBACK_HOSTS, address_of, listen, serve

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from sereno_backends.devops.sqlite_store import SqliteDevOpsEventStore
    from sereno_backends.logs import LogStore
    from sereno_collectors.devops.model import Source

    from sereno_cli.web_protection import Protection

DEFAULT_CONFIGURATION = Path("devops.yaml")
DEFAULT_STORE = Path("var/devops.sqlite")
ELASTICSEARCH_URL = "SERENO_ELASTICSEARCH_URL"
FORWARDER_STOP_SECONDS = 1.0


@click.command()
@click.option(
    "--config",
    default=DEFAULT_CONFIGURATION,
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Whose webhooks are received.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=19095, show_default=True, type=click.IntRange(0, 65535), help="Port; 0: any free one.")
@click.option(
    "--store",
    default=DEFAULT_STORE,
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="SQLite file of the events; made if missing.",
)
@click.option(
    "--web-config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="TLS, and users of all but the webhooks, as Prometheus' own web configuration writes them.",
)
def devops(config: Path, host: str, port: int, store: Path, web_config: Path | None) -> ExitCode:
    """Receive webhooks of GitHub, GitLab, Azure DevOps, Jenkins, Bitbucket and others, until Ctrl-C.

    \b
      sereno collect devops
      sereno collect devops --config devops.yaml --port 8080 --store var/devops.sqlite
      sereno collect devops --host 0.0.0.0 --port 8443 --web-config web.yml
      SERENO_ELASTICSEARCH_URL=https://logs.example.org:9200 sereno collect devops

    \b
    devops.yaml names the senders:
      version: sereno/v1
      sources:
        github:
          provider: github                # gitlab, azure_devops, jenkins, bitbucket, generic
          secret_files: [secrets/github]  # one secret a file, several while they are rotated
          services: {acme/shop: checkout}
          production: [production]

    \b
    and GitHub's webhook is then sent to
      https://<your address>/api/v1/devops/github

    Commits, pull requests, pipelines, deployments and incidents are kept in one schema, with the original payloads.
    A delivery is answered 200 only when it is on disk; sent again, it changes nothing. With SERENO_ELASTICSEARCH_URL
    what is on disk is forwarded into the data stream logs-devops-default (credentials as for sereno collect logs).
    Secrets are read anew when their files change. The interface is described at /docs, the receiver's own metrics
    are at /metrics: the users of --web-config guard these, while webhooks show the credentials of their source.
    docs/devops.md tells how each platform is set up.

    Exit codes: 0 ended well, 2 a configuration or an argument is wrong, 3 the port is taken.
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    from sereno_cli.web_protection import Protection, WebConfigInvalid

    sources = _sources(config)
    try:
        protection = Protection(web_config)
    except WebConfigInvalid:
        return ExitCode.INVALID_INPUT
    return _collect(sources, host, port, store, protection)


def _collect(sources: "tuple[Source, ...]", host: str, port: int, store: Path, protection: "Protection") -> ExitCode:
    from sereno_backends.devops import DevOpsStoreUnavailable
    from sereno_backends.devops.sqlite_store import SqliteDevOpsEventStore

    destination = _destination()
    events = SqliteDevOpsEventStore(store)
    try:
        events.prepare()
    except DevOpsStoreUnavailable as error:
        _say(f"{error}; name another file with --store")
        return ExitCode.INVALID_INPUT
    listener = listen(host, port, command="sereno collect devops")
    if host not in LOOPBACK_HOSTS:
        _warn(host, protection)
    with listener, events.held_open():
        where = f"{events.name}{f' and {destination.name}' if destination else ''}"
        names = ", ".join(source.name for source in sources)
        address = address_of(listener, host, tls=protection.tls is not None)
        click.echo(f"devops: listening on {address} for {names}; into {where}, Ctrl-C stops")
        with ExitStack() as cleanup:
            from prometheus_client import CollectorRegistry
            from sereno_collectors.devops.receiver import WEBHOOKS, ReceiverParts, create_receiver

            registry = CollectorRegistry()
            if destination is not None:
                _forward(events, destination, registry, cleanup)
            app = create_receiver(ReceiverParts(sources, events, registry, lambda: datetime.now(UTC)))
            serve(protection.around(app, left_to_app=WEBHOOKS), listener, tls=protection.tls)
    return ExitCode.OK


def _warn(host: str, protection: "Protection") -> None:
    """Say what is open to others beyond loopback."""
    if protection.tls is None:
        _say("warning: there is no TLS here: beyond loopback, --web-config names a certificate, or a proxy has one")
    if not protection.has_users:
        _say(f"warning: whoever reaches {host} can read the metrics; --web-config asks for a password")


def _sources(config: Path) -> "tuple[Source, ...]":
    from sereno_slo.diagnostics import Diagnostic

    from sereno_cli.devops_configuration import read_sources

    found = read_sources(config)
    mistakes = [one for one in found if isinstance(one, Diagnostic)]
    if mistakes:
        for mistake in mistakes:
            click.echo(str(mistake), err=True)
        _say("the configuration has mistakes: nothing was begun")
        raise click.exceptions.Exit(ExitCode.INVALID_INPUT)
    return tuple(one for one in found if not isinstance(one, Diagnostic))


def _destination() -> "LogStore | None":
    """The Elasticsearch that is named; it need not be there yet."""
    from sereno_backends.logs import LogStoreRefused, open_log_store

    url = os.environ.get(ELASTICSEARCH_URL, "").strip()
    if not url:
        return None
    if not url.lower().startswith(("http://", "https://")):
        _say(f"{ELASTICSEARCH_URL} must begin with http:// or https://")
        raise click.exceptions.Exit(ExitCode.INVALID_INPUT)
    try:
        return open_log_store(url)
    except LogStoreRefused as error:
        _say(str(error))
        raise click.exceptions.Exit(ExitCode.INVALID_INPUT) from error


def _forward(
    events: "SqliteDevOpsEventStore", destination: "LogStore", registry: "CollectorRegistry", cleanup: ExitStack
) -> None:
    """Forward in a thread until the cleanup; what isn't forwarded by then is at the next start."""
    from sereno_backends.devops import DevOpsStoreUnavailable
    from sereno_collectors.devops.forwarder import Forwarder
    from sereno_collectors.devops.metrics import ForwarderMetrics

    def waiting() -> int | None:
        try:
            return events.waiting(destination.name)
        except DevOpsStoreUnavailable:
            return None

    stop = threading.Event()
    forwarder = Forwarder(events, destination, ForwarderMetrics(registry, waiting), _say)
    # A daemon: where it hangs in a request, ending is safe, for only what was answered is noted as done.
    thread = threading.Thread(target=forwarder.run, args=(stop,), name="forwarder", daemon=True)
    cleanup.callback(thread.join, FORWARDER_STOP_SECONDS)
    cleanup.callback(stop.set)
    thread.start()


def _say(message: str) -> None:
    click.echo(f"sereno collect devops: {message}", err=True)
