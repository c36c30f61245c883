"""`sereno reconcile`: prove that every emitted log document is in the store once, or name what is missing or double."""

import os
import zlib
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode
from sereno_cli.log_collection.request import DEFAULT_CHECKPOINT, queue_beside

if TYPE_CHECKING:
    from collections.abc import Callable

    from sereno_collectors.logs.reconciling import Known, Reconciliation

ELASTICSEARCH_URL = "SERENO_ELASTICSEARCH_URL"
DEFAULT_QUEUE = queue_beside(DEFAULT_CHECKPOINT)

_EPILOG = """\b
Examples:
  sereno reconcile
      the last 24 hours of the SQLite store
  sereno reconcile --since 2h --service checkout --json
  sereno reconcile --file logs/checkout.log --file logs/checkout.log.1.gz
      also what the files hold and the store never saw
  SERENO_ELASTICSEARCH_URL=https://logs.example.org:9200 sereno reconcile --since 7d
"""


@click.command(epilog=_EPILOG)
@click.option(
    "--since", default="24h", show_default=True, metavar="TIME", help="Begin of the window, down to the hour."
)
@click.option("--settle", default="30s", show_default=True, help="The window ends so long ago: newest lines travel.")
@click.option("--service", "services", multiple=True, help="Only this service; give it several times for several.")
@click.option(
    "--file", "files", multiple=True, type=click.Path(path_type=Path), help="A log file as evidence; .gz too."
)
@click.option("--log-store", default="var/logs.sqlite", show_default=True, help="SQLite file, unless a server is set.")
@click.option(
    "--dead-letters",
    default="var/collector.dead-letters.jsonl",
    show_default=True,
    type=click.Path(path_type=Path),
    help="The collector's file of refused lines.",
)
@click.option(
    "--queue",
    "queues",
    multiple=True,
    type=click.Path(path_type=Path),
    help=f"The collector's queue; one for each collector.  [default: {DEFAULT_QUEUE}, if it is there]",
)
@click.option(
    "--exact", is_flag=True, help="Read every number; otherwise counts and sums of each thousand are trusted."
)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def command(
    *,
    since: str,
    settle: str,
    services: tuple[str, ...],
    files: tuple[Path, ...],
    log_store: str,
    dead_letters: Path,
    queues: tuple[Path, ...],
    exact: bool,
    as_json: bool,
) -> ExitCode:
    """Prove that no log document is lost or double, by the sequence numbers that Sereno's telemetry writes.

    Numbers count from 1 per source (service.node.name) without holes: what is neither in the store, nor a dead letter,
    nor in the collector's queue is missing. The queue also knows what was received: up to there the newest end of a
    source is proven, further with --file. The collector may work meanwhile. Lines without a number are not proven.

    SERENO_ELASTICSEARCH_URL and its credentials are as for `sereno collect logs`.

    Exit codes: 0 proven, 1 something is missing or double, or there is nothing to prove, 2 arguments are wrong, 3 the
    store can't be reached.
    """
    from sereno_backends.logs import LogStoreRefused, LogStoreUnreachable

    from sereno_cli.reconcile_screen import print_answer, print_json

    now = datetime.now(UTC)
    evidence = _Evidence(files, dead_letters, queues or tuple(path for path in (DEFAULT_QUEUE,) if path.is_file()))
    try:
        window = _window(since, settle, now)
        location = os.environ.get(ELASTICSEARCH_URL, "").strip() or log_store
        if not (evidence.queues or files):
            click.echo(f"no queue at {DEFAULT_QUEUE}, the newest end of sources is not proven: see --queue", err=True)
        answer = _reconciled(location, window, services, evidence, exact)
    except (ValueError, LogStoreRefused) as error:
        return _failed(str(error), ExitCode.INVALID_INPUT)
    except LogStoreUnreachable as error:
        return _failed(str(error), ExitCode.UNREACHABLE)
    print_json(answer) if as_json else print_answer(answer)
    return ExitCode.OK if answer.is_proven else ExitCode.ANSWER_IS_NO


def _window(since: str, settle: str, now: datetime) -> tuple[datetime, datetime]:
    from sereno_cli.moments import read_moment

    start = read_moment(since, now).replace(minute=0, second=0, microsecond=0)
    end = read_moment(settle, now)
    if start >= end:
        raise ValueError(f"--since {since} is not before --settle {settle}: nothing lies between")
    return start, end


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What is read beside the store; mistakes are `ValueError`s with a message for the user."""

    files: tuple[Path, ...]
    dead_letters: Path
    queues: tuple[Path, ...]

    def before(self, start: datetime, end: datetime) -> "list[Known]":
        """Everything that is known before the store is read."""
        from sereno_collectors.logs.reconciling.evidence import known_from_file, received_by

        received = [each for queue in self.queues for each in _read(queue, lambda path: received_by(path, start, end))]
        written = [each for file in self.files for each in _read(file, lambda path: known_from_file(path, end))]
        return [*received, *written, *self.on_their_way()]

    def on_their_way(self) -> "list[Known]":
        """What is queued or refused at this moment, in the order in which documents go."""
        from sereno_collectors.logs.reconciling.evidence import known_from_dead_letters, known_from_queue

        queued = [each for queue in self.queues for each in _read(queue, known_from_queue)]
        return [*queued, *_read(self.dead_letters, known_from_dead_letters)]


def _read(file: Path, read: "Callable[[Path], list[Known]]") -> "list[Known]":
    from sereno_collectors.logs.queue.file import QueueError

    try:
        return read(file)
    except QueueError as error:
        raise ValueError(str(error)) from error
    except (OSError, EOFError, zlib.error) as error:  # the last two: a .gz that was cut off or damaged
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"{file} can't be read: {reason}") from error


def _reconciled(
    location: str, window: tuple[datetime, datetime], services: tuple[str, ...], evidence: _Evidence, exact: bool
) -> "Reconciliation":
    from sereno_backends.logs.sequences import open_dead_letter_reader, open_sequence_reader
    from sereno_collectors.logs.reconciling import reconcile

    with ExitStack() as cleanup:
        reader = cleanup.enter_context(closing(open_sequence_reader(location)))
        dead = open_dead_letter_reader(location)
        if dead is not None:
            cleanup.enter_context(closing(dead))
        return reconcile(
            reader,
            *window,
            services=services,
            dead_letters=dead,
            known=evidence.before(*window),
            look_again=evidence.on_their_way,
            exact=exact,
            progress=lambda hour: click.echo(f"reading {hour:%Y-%m-%d %H:00}", err=True),
        )


def _failed(message: str, code: ExitCode) -> ExitCode:
    click.echo(f"sereno reconcile: {message}", err=True)
    return code
