"""`sereno portal`: the pages for people without Grafana at hand."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode
from sereno_cli.incident_places import open_place, place_options, say
from sereno_cli.public_names import public_name_option
from sereno_cli.serving import address_of, listen
from sereno_cli.serving import serve as serve_application

if TYPE_CHECKING:
    from sereno_backends.kibana import Kibana

    from sereno_cli.web_protection import Protection

_HEADER_NAME = re.compile(r"[A-Za-z0-9_-]+")


def _header(ctx: click.Context, param: click.Parameter, given: str | None) -> str | None:  # noqa: ARG001
    """A header's name, as far as proxies send one."""
    if given is None or _HEADER_NAME.fullmatch(given):
        return given
    raise click.BadParameter(f"{given!r} is no header's name; write for example X-Forwarded-User")


@click.command()
@click.option(
    "--prometheus",
    default="http://127.0.0.1:9090",
    show_default=True,
    metavar="URL",
    envvar="SERENO_PROMETHEUS_URL",
    show_envvar=True,
    help="The server that evaluates the rules.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=19097, show_default=True, type=click.IntRange(0, 65535), help="Port; 0: any free one.")
@click.option(
    "--root",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="The repository with slo/specs, dashboards and runbooks.  [default: the one around the current folder]",
)
@place_options
@click.option(
    "--log-store",
    metavar="PATH",
    help="SQLite log store that drafts of postmortems search; SERENO_ELASTICSEARCH_URL outranks it.",
)
@click.option(
    "--devops-store",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The file of `sereno collect devops`: what was deployed, for drafts.",
)
@click.option(
    "--web-config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="TLS and users, as Prometheus' own web configuration writes them.",
)
@click.option(
    "--user-header",
    metavar="NAME",
    callback=_header,
    help="Header in which a reverse proxy on this machine names who asks, such as X-Forwarded-User.",
)
@public_name_option("people reach the portal", more=" --user-header needs it.")
def command(  # noqa: PLR0917 - click passes them by name
    prometheus: str,
    host: str,
    port: int,
    root: Path | None,
    database: Path | None,
    incidents: str | None,
    log_store: str | None,
    devops_store: Path | None,
    web_config: Path | None,
    user_header: str | None,
    public_names: tuple[str, ...],
) -> ExitCode:
    """Serve Sereno's pages until Ctrl-C: how the SLOs stand, incidents, dashboards, runbooks, backtests.

    \b
      sereno portal --prometheus http://127.0.0.1:9090
      sereno portal --incidents http://127.0.0.1:19093 --port 8080
      sereno portal --host 0.0.0.0 --web-config web.yml
      sereno portal --user-header X-Forwarded-User --public-name sereno.example.org

    Whoever looks asks Prometheus nothing but what the pages ask, and the same question once in ten seconds.
    The JSON behind each page is described at /openapi.json. docs/portal.md tells more.

    Exit codes: 0 ended well, 2 a file or an argument is wrong, 3 the port is taken.
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    from sereno_backends.addresses import is_loopback
    from sereno_backends.prometheus import PrometheusAddressInvalid
    from sereno_portal import PortalConfiguration, create_portal

    if user_header is not None and not public_names:
        say("--user-header needs --public-name: the host name by which people reach the proxy")
        return ExitCode.INVALID_INPUT
    found = _repository(root)
    protection = None if web_config is None else _protection(web_config)
    configuration = PortalConfiguration(
        prometheus=prometheus,
        root=found,
        incidents=open_place(database, incidents),
        user_header=user_header,
        public_names=public_names,
        listens_locally=is_loopback(host),
        log_store=os.environ.get("SERENO_ELASTICSEARCH_URL") or log_store,
        kibana=_kibana(),
        devops_store=devops_store,
    )
    try:
        app = create_portal(configuration)
    except PrometheusAddressInvalid as error:
        say(f"--prometheus: {error}")
        return ExitCode.INVALID_INPUT
    with listen(host, port, command="sereno portal") as listener:
        tls = None if protection is None else protection.tls
        if not is_loopback(host) and (protection is None or not protection.has_users):
            say(f"{host} can be reached by others, and nobody has to log in: give --web-config users")
        click.echo(f"portal: listening on {address_of(listener, host, tls=tls is not None)}, Ctrl-C stops")
        # A reverse proxy is known by its own address, which must not be replaced by the one that it tells.
        served = app if protection is None else protection.around(app)
        serve_application(served, listener, tls=tls, proxy_headers=False)
    return ExitCode.OK


def _kibana() -> "Kibana | None":
    """Where drafts' links to logs lead; Kibana shows what is in Elasticsearch only."""
    from sereno_backends.kibana import KibanaAddressError, kibana_of

    try:
        return kibana_of(os.environ) if os.environ.get("SERENO_ELASTICSEARCH_URL") else None
    except KibanaAddressError as error:
        say(f"no links to Kibana: {error}")
        return None


def _repository(named: Path | None) -> Path:
    """The one that was named, or the one around; where there is none, the command has ended with a message."""
    from sereno_cli.specs import repository_root

    found = named or repository_root()
    if found is None:
        say("there is no slo/specs here or in a folder above; name the repository with --root")
        raise click.exceptions.Exit(ExitCode.INVALID_INPUT)
    return found


def _protection(web_config: Path) -> "Protection":
    from sereno_cli.web_protection import Protection, WebConfigInvalid

    try:
        return Protection(web_config)
    except WebConfigInvalid as error:
        raise click.exceptions.Exit(ExitCode.INVALID_INPUT) from error
