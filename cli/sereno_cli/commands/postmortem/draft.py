"""`sereno postmortem draft`: a postmortem from measured evidence."""

import contextlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from sereno_backends.devops import DevOpsEventStore
    from sereno_backends.incidents import Incident
    from sereno_backends.kibana import Kibana
    from sereno_postmortems.draft import Logs, Metrics
    from sereno_postmortems.sources import IncidentSource

DEFAULT_DATABASE = Path("var/incidents.sqlite")
DEFAULT_OUT = Path("postmortems")
DEFAULT_OVERRIDES = Path("slo/overrides.jsonl")


@click.command()
@click.argument("incident_id", metavar="ID")
@click.option(
    "--out",
    default=DEFAULT_OUT,
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write into; made if missing.",
)
@click.option(
    "--database",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"The file of `sereno incidents serve`. [default: {DEFAULT_DATABASE}]",
)
@click.option("--incidents", metavar="URL", help="Or a running `sereno incidents serve`.")
@click.option(
    "--prometheus",
    metavar="URL",
    envvar="SERENO_PROMETHEUS_URL",
    show_envvar=True,
    default="http://127.0.0.1:9090",
    show_default=True,
    help="Where the SLOs' recorded series are.",
)
@click.option("--log-store", metavar="PATH", help="SQLite log store; SERENO_ELASTICSEARCH_URL outranks it.")
@click.option(
    "--overrides",
    default=DEFAULT_OVERRIDES,
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where `sereno budget --override` keeps its records.",
)
@click.option(
    "--devops-store",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The file of `sereno collect devops`: what was deployed.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing draft.")
def command(  # noqa: PLR0917 - click passes them by name
    incident_id: str,
    out: Path,
    database: Path | None,
    incidents: str | None,
    prometheus: str,
    log_store: str | None,
    overrides: Path,
    devops_store: Path | None,
    force: bool,
) -> ExitCode:
    """Write <out>/<ID>.md: impact, timeline, log evidence, questions, each fact with its source.

    \b
    sereno postmortem draft latest
    sereno postmortem draft 2026-11-22-transactions-api-availability --log-store var/logs.sqlite
    sereno postmortem draft latest --devops-store var/devops.sqlite
    sereno postmortem draft latest --incidents http://127.0.0.1:19093 --out var/postmortems

    ID is an incident's id, or `latest` for the one opened last. The path is printed on standard output.
    If Prometheus or the log store can't be reached, the draft is written all the same and says what wasn't measured.

    Exit codes: 0 written, 2 unknown incident or existing draft, 3 the incidents can't be read.
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    from sereno_postmortems.sources import (
        IncidentSourceUnreachable,
        UnknownIncident,
        find_incident,
    )

    try:
        source = _incident_source(database, incidents)
        incident = find_incident(source, incident_id)
    except IncidentSourceUnreachable as error:
        _say(f"{error}; start `sereno incidents serve`, or name its place with --database or --incidents")
        return ExitCode.UNREACHABLE
    except UnknownIncident as error:
        _say(f"{error}{'; nearest: ' + ', '.join(error.nearest) if error.nearest else ''}")
        return ExitCode.INVALID_INPUT
    path = out / f"{incident.incident_id}.md"
    if path.exists() and not force:
        _say(f"{path} exists and is left alone; --force overwrites it, --out writes elsewhere")
        return ExitCode.INVALID_INPUT
    return _write(
        incident, source, prometheus, log_store, out, overrides=overrides, devops_store=devops_store, force=force
    )


def _incident_source(database: Path | None, url: str | None) -> "IncidentSource":
    from sereno_postmortems.sources import DatabaseIncidents, HttpIncidents
    from sereno_postmortems.store import IncidentStore

    if url is not None and database is not None:
        raise click.UsageError("--database and --incidents name two places; give one")
    if url is not None and not url.startswith(("http://", "https://")):
        raise click.UsageError(f"--incidents {url} is no address; write for example http://127.0.0.1:19093")
    return HttpIncidents(url) if url is not None else DatabaseIncidents(IncidentStore(database or DEFAULT_DATABASE))


def _write(
    incident: "Incident",
    source: "IncidentSource",
    prometheus: str,
    log_store: str | None,
    out: Path,
    *,
    overrides: Path,
    devops_store: Path | None,
    force: bool,
) -> ExitCode:
    """Ask, render, write. Sources that fail are warnings; a folder that can't be written is a mistake to correct."""
    from sereno_postmortems.draft import DraftExists, gather, render_draft, write_draft

    now = datetime.now(UTC)
    with contextlib.ExitStack() as stack:
        metrics = _metrics(prometheus, now, stack)
        logs = _logs(log_store, now, stack)
        evidence = gather(
            incident,
            source.name,
            metrics,
            logs,
            now=now,
            progress=lambda what: _say(f"{what} …"),
            overrides_file=overrides,
            devops=_devops(devops_store),
        )
    for warning in evidence.warnings:
        _say(f"warning: not measured: {warning}")
    try:
        path = write_draft(out, incident.incident_id, render_draft(evidence), overwrite=force)
    except DraftExists as error:
        _say(f"{error} exists and is left alone; --force overwrites it, --out writes elsewhere")
        return ExitCode.INVALID_INPUT
    except OSError as error:
        _say(f"can't write into {out}: {error.strerror}; name another folder with --out")
        return ExitCode.INVALID_INPUT
    click.echo(path)
    return ExitCode.OK


def _metrics(url: str, now: datetime, stack: contextlib.ExitStack) -> "Metrics":
    from sereno_backends.prometheus import PrometheusAddressInvalid, PrometheusClient
    from sereno_postmortems.draft import open_metrics

    try:
        client = stack.enter_context(PrometheusClient(url))
    except PrometheusAddressInvalid as error:
        raise click.BadParameter(str(error), param_hint="--prometheus") from error
    return open_metrics(client, now)


def _logs(location: str | None, now: datetime, stack: contextlib.ExitStack) -> "Logs":
    """The log store that the environment or the option names. A wrong name is a source that's missing, no mistake."""
    from sereno_backends.logs import LogStoreError, open_log_store
    from sereno_postmortems.draft import Logs, open_logs

    chosen = os.environ.get("SERENO_ELASTICSEARCH_URL") or location
    if not chosen:
        return open_logs(None, now)
    try:
        store = stack.enter_context(contextlib.closing(open_log_store(chosen)))
    except LogStoreError as error:
        return Logs(None, str(error))
    return open_logs(store, now, _kibana() if os.environ.get("SERENO_ELASTICSEARCH_URL") else None)


def _devops(path: Path | None) -> "DevOpsEventStore | None":
    """What webhooks told. A file that can't be read is a source that's missing, no mistake."""
    from sereno_backends.devops.sqlite_store import SqliteDevOpsEventStore

    return None if path is None else SqliteDevOpsEventStore(path)


def _kibana() -> "Kibana | None":
    """Where the draft's link to the logs leads; Kibana shows what is in Elasticsearch only."""
    from sereno_backends.kibana import KibanaAddressError, kibana_of

    try:
        return kibana_of(os.environ)
    except KibanaAddressError as error:
        _say(f"warning: no link to Kibana: {error}")
        return None


def _say(text: str) -> None:
    """Everything but the path goes to standard error, so that scripts can take the path."""
    click.echo(f"postmortem: {text}", err=True)
