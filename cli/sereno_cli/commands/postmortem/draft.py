"""`sereno postmortem draft`: a postmortem from measured evidence."""

import contextlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.draft_writing import read_form, say, target_of, write
from sereno_cli.exit_codes import ExitCode
from sereno_cli.incident_places import open_place, place_options
from sereno_cli.postmortem_files import DEFAULT_FOLDER, TEMPLATE

if TYPE_CHECKING:
    from sereno_backends.devops import DevOpsEventStore
    from sereno_backends.incidents import Incident
    from sereno_backends.kibana import Kibana
    from sereno_postmortems.draft import Evidence, Logs, Metrics
    from sereno_postmortems.sources import IncidentSource

DEFAULT_TEMPLATE = DEFAULT_FOLDER / TEMPLATE
DEFAULT_OVERRIDES = Path("slo/overrides.jsonl")


@click.command()
@click.argument("incident_id", metavar="ID")
@click.option(
    "--out",
    default=DEFAULT_FOLDER,
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write into; made if missing.",
)
@place_options
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
@click.option(
    "--template",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PATH",
    help=f"A Jinja2 template of your own. [default: {DEFAULT_TEMPLATE} if it is there, else Sereno's]",
)
@click.option("--update", "mode", flag_value="update", help="Renew what is measured in an existing draft.")
@click.option("--force", "mode", flag_value="force", help="Overwrite an existing draft, with all that people wrote.")
def command(  # noqa: PLR0917 - click passes them by name
    incident_id: str,
    out: Path,
    database: Path | None,
    incidents: str | None,
    prometheus: str,
    log_store: str | None,
    overrides: Path,
    devops_store: Path | None,
    template: Path | None,
    mode: str | None,
) -> ExitCode:
    """Write <out>/<ID>.md: impact, timeline, log evidence, questions, each fact with its source; charts in <out>/<ID>/.

    \b
    sereno postmortem draft latest
    sereno postmortem draft 2026-11-22-transactions-api-availability --log-store var/logs.sqlite
    sereno postmortem draft latest --devops-store var/devops.sqlite
    sereno postmortem draft latest --incidents http://127.0.0.1:19093 --out var/postmortems
    sereno postmortem draft latest --update

    ID is an incident's id, or `latest` for the one opened last. The path is printed on standard output.
    If Prometheus or the log store can't be reached, the draft is written all the same and says what wasn't measured.
    With --update an existing draft keeps every word that people wrote: only what stands between the marks of measured
    blocks is renewed, and a block that somebody has edited is left as it is.

    Exit codes: 0 written, 2 unknown incident, existing draft or wrong template, 3 the incidents can't be read.
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    from sereno_postmortems.sources import (
        IncidentSourceUnreachable,
        UnknownIncident,
        find_incident,
    )

    form = read_form(template or (DEFAULT_TEMPLATE if DEFAULT_TEMPLATE.exists() else None))
    if isinstance(form, ExitCode):
        return form
    try:
        source = open_place(database, incidents)
        incident = find_incident(source, incident_id)
    except IncidentSourceUnreachable as error:
        say(f"{error}; start `sereno incidents serve`, or name its place with --database or --incidents")
        return ExitCode.UNREACHABLE
    except UnknownIncident as error:
        say(f"{error}{'; nearest: ' + ', '.join(error.nearest) if error.nearest else ''}")
        return ExitCode.INVALID_INPUT
    target = target_of(out, incident.incident_id, mode)
    if isinstance(target, ExitCode):
        return target
    evidence = _gathered(incident, source, prometheus, log_store, overrides=overrides, devops_store=devops_store)
    return write(evidence, form, target)


def _gathered(
    incident: "Incident",
    source: "IncidentSource",
    prometheus: str,
    log_store: str | None,
    *,
    overrides: Path,
    devops_store: Path | None,
) -> "Evidence":
    """Ask all sources; those that fail are warnings."""
    from sereno_postmortems.draft import gather

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
            progress=lambda what: say(f"{what} …"),
            overrides_file=overrides,
            devops=_devops(devops_store),
        )
    for warning in evidence.warnings:
        say(f"warning: not measured: {warning}")
    return evidence


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
        say(f"warning: no link to Kibana: {error}")
        return None
