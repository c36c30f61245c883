"""`sereno logs doctor`: how the log store is, when its disk is full, and what to do."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from sereno_backends.logs.lifecycle import Retentions

OUTPUT = click.Path(path_type=Path)
DEFAULT_RETENTION = Path("logs.retention.yaml")

_EPILOG = """\b
Examples:
  sereno logs doctor
      the SQLite store, its disk, the collector's queue and dead letters
  SERENO_ELASTICSEARCH_URL=https://logs.example.org:9200 sereno logs doctor
  SERENO_ELASTICSEARCH_URL=https://logs.example.org:9200 sereno logs doctor --watch 60
      growth and rejections as they are now, by two looks a minute apart
  sereno logs doctor --json | jq '.findings[] | select(.needs_somebody)'
"""


@click.command(epilog=_EPILOG)
@click.option(
    "--retention",
    type=OUTPUT,
    help="How long each dataset is kept.  [default: logs.retention.yaml, where it is there]",
)
@click.option(
    "--watch",
    metavar="SECONDS",
    type=click.IntRange(30, 3600),  # the server looks at the sizes of its files every ten seconds
    help="Elasticsearch: look twice, so long apart, and tell growth and rejections in between.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.option(
    "--queue", default=Path("var/collector.queue.sqlite"), show_default=True, type=OUTPUT, help="The collector's queue."
)
@click.option(
    "--queue-bytes",
    default=1_000_000_000,
    show_default=True,
    type=click.IntRange(min=1),
    help="The size at which the collector's queue is full, as it was started.",
)
@click.option(
    "--dead-letters",
    default=Path("var/collector.dead-letters.jsonl"),
    show_default=True,
    type=OUTPUT,
    help="The collector's file of refused lines.",
)
@click.option(
    "--log-store",
    default="var/logs.sqlite",
    show_default=True,
    metavar="PLACE",
    help="SQLite file; SERENO_ELASTICSEARCH_URL outranks it.",
)
def command(  # noqa: PLR0917 - click passes them by name
    retention: Path | None,
    watch: int | None,
    as_json: bool,
    queue: Path,
    queue_bytes: int,
    dead_letters: Path,
    log_store: str,
) -> ExitCode:
    """Tell how the log store is, worst first, each with what to do. Nothing is changed.

    Days until the disk watermarks (or a full disk) from the growth measured and the retention, read-only indices,
    shards, templates, retention, rejected writes, the collector's queue and dead letters.

    Exit codes: 0 healthy, 1 something needs a person, 2 arguments or files are wrong, 3 the store can't be reached.
    """
    from sereno_backends.logs import LogStoreError, LogStoreUnreachable

    from sereno_cli.doctor_screen import as_json_text, print_examination
    from sereno_cli.log_examination import Asked, examination

    place = os.environ.get("SERENO_ELASTICSEARCH_URL", "").strip() or log_store
    try:
        retentions = _read(retention)
        answer = examination(
            Asked(place, retentions, queue, queue_bytes, dead_letters, float(watch or 0)), lambda: datetime.now(UTC)
        )
    except ValueError as error:
        click.echo(str(error), err=True)
        return ExitCode.INVALID_INPUT
    except LogStoreError as error:
        click.echo(f"sereno logs doctor: {error}", err=True)
        return ExitCode.UNREACHABLE if isinstance(error, LogStoreUnreachable) else ExitCode.INVALID_INPUT
    if as_json:
        click.echo(as_json_text(answer), nl=False)
    else:
        print_examination(answer)
    return ExitCode.OK if answer.is_healthy else ExitCode.ANSWER_IS_NO


def _read(named: Path | None) -> "Retentions | None":
    """The retention file that is named, else the one that lies here; None: there is none.

    Raises:
        ValueError: it has mistakes; the message names all of them.
    """
    path = named or (DEFAULT_RETENTION if DEFAULT_RETENTION.is_file() else None)
    if path is None:
        return None
    from sereno_backends.logs.lifecycle import Retentions

    from sereno_cli.log_retention import read_retentions

    found = read_retentions(path)
    if not isinstance(found, Retentions):
        raise ValueError("\n".join(map(str, found)))  # noqa: TRY004 - a mistake in the file, not of a type
    return found
