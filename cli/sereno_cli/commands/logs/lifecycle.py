"""`sereno logs lifecycle`: what retention asks for, and with --apply doing it."""

import os
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from sereno_backends.logs.lifecycle import Lifecycle, Retentions, SqliteRetention

_EPILOG = """\b
Examples:
  sereno logs lifecycle
      what logs.retention.yaml asks for of the SQLite store; nothing is changed
  SERENO_ELASTICSEARCH_URL=https://logs.example.org:9200 sereno logs lifecycle --retention prod.retention.yaml
  sereno logs lifecycle --apply
      do it; a collector with --retention does it every hour
"""


@click.command(epilog=_EPILOG)
@click.option(
    "--retention",
    default="logs.retention.yaml",
    show_default=True,
    type=click.Path(path_type=Path),
    help="How long each dataset is kept (docs/logs/lifecycle.md).",
)
@click.option("--apply", "is_applied", is_flag=True, help="Do what is shown; without it nothing is changed.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.option(
    "--log-store",
    default="var/logs.sqlite",
    show_default=True,
    metavar="PLACE",
    help="SQLite file; SERENO_ELASTICSEARCH_URL outranks it.",
)
def command(*, retention: Path, is_applied: bool, as_json: bool, log_store: str) -> ExitCode:
    """Show what the retention file asks for, stream by stream; with --apply do it.

    In Elasticsearch a policy of index lifecycle management does the work where the server has that, else the
    data-stream lifecycle, else Sereno itself. Only streams of Sereno's index templates are touched, and never the
    index that is written to. In a SQLite file old documents are deleted.

    Exit codes: 0 done (or shown), 1 the server refused some of it, 2 arguments or files are wrong, 3 no store.
    """
    from sereno_backends.logs import LogStoreError, LogStoreUnreachable
    from sereno_backends.logs.lifecycle import SqliteRetention, open_lifecycle

    retentions = _read(retention)
    if retentions is None:
        return ExitCode.INVALID_INPUT
    place = os.environ.get("SERENO_ELASTICSEARCH_URL", "").strip() or log_store
    try:
        with closing(open_lifecycle(place, retentions, lambda: datetime.now(UTC), Event())) as keeper:
            if isinstance(keeper, SqliteRetention):
                return _sqlite(keeper, retentions, is_applied=is_applied, as_json=as_json)
            return _elasticsearch(keeper, retentions, is_applied=is_applied, as_json=as_json)
    except LogStoreError as error:
        click.echo(f"sereno logs lifecycle: {error}", err=True)
        return ExitCode.UNREACHABLE if isinstance(error, LogStoreUnreachable) else ExitCode.INVALID_INPUT


def _read(path: Path) -> "Retentions | None":
    from sereno_backends.logs.lifecycle import Retentions

    from sereno_cli.log_retention import EXAMPLE, read_retentions

    found = read_retentions(path)
    if isinstance(found, Retentions):
        return found
    for mistake in found:
        click.echo(str(mistake), err=True)
    if not path.exists():
        click.echo(f"sereno logs lifecycle: nothing is deleted without a retention file; write {path}:", err=True)
        click.echo(EXAMPLE, err=True, nl=False)
    return None


def _sqlite(keeper: "SqliteRetention", retentions: "Retentions", *, is_applied: bool, as_json: bool) -> ExitCode:
    from sereno_cli.lifecycle_screen import print_sqlite, sqlite_json

    plan = keeper.plan()
    run = keeper.run() if is_applied else None
    if as_json:
        click.echo(sqlite_json(keeper.name, plan, run), nl=False)
    else:
        print_sqlite(keeper.name, retentions, plan, run)
    return ExitCode.OK


def _elasticsearch(keeper: "Lifecycle", retentions: "Retentions", *, is_applied: bool, as_json: bool) -> ExitCode:
    from sereno_cli.lifecycle_screen import elasticsearch_json, print_plan, print_run

    plan = keeper.plan()
    if not as_json:
        print_plan(keeper.name, retentions, plan)
    run = keeper.apply(plan) if is_applied else None
    if as_json:
        click.echo(elasticsearch_json(keeper.name, retentions, plan, run), nl=False)
    else:
        print_run(plan, run)
    return ExitCode.ANSWER_IS_NO if run is not None and run.failures else ExitCode.OK
