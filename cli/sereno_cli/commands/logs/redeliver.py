"""`sereno logs redeliver`: dead letters go where they were meant to go, once the reason is mended."""

import contextlib
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode
from sereno_cli.plain_text import plain

if TYPE_CHECKING:
    from sereno_backends.logs.elasticsearch_redelivery import Redelivered

_EPILOG = """\b
Examples:
  sereno logs search --dead-letters --since 7d
      which there are, and why
  sereno logs redeliver --since 7d --service checkout
"""


@click.command(epilog=_EPILOG)
@click.option("--since", default="30d", show_default=True, metavar="TIME", help="Refused since: RFC 3339, or 7d.")
@click.option("--service", "services", multiple=True, metavar="NAME", help="Only this service; may be repeated.")
def command(since: str, services: tuple[str, ...]) -> ExitCode:
    """Send the dead letters of Elasticsearch again, unchanged, after its template or pipeline was mended.

    A letter is deleted when its document is stored. Nothing is stored twice, however often this runs and is
    interrupted. What is refused again stays a letter. A document that is wrong itself has to be mended first: see
    docs/logs/dead-letters.md. The server is the one of SERENO_ELASTICSEARCH_URL.

    Exit codes: 0 everything is delivered, 1 some are refused again, 2 arguments are wrong, 3 the server can't be
    reached or takes nothing now.
    """
    from sereno_backends.logs import LogStoreRefused, LogStoreUnreachable

    from sereno_cli.moments import read_moment

    url = os.environ.get("SERENO_ELASTICSEARCH_URL", "").strip()
    if not url:
        return _failed(
            "SERENO_ELASTICSEARCH_URL is not set; the letters of a SQLite store are in the collector's file, send them "
            "again with `jq -r .line var/collector.dead-letters.jsonl > again.log` and "
            "`sereno collect logs --file again.log --once --checkpoint var/again.checkpoint.json`",
            ExitCode.INVALID_INPUT,
        )
    try:
        now = datetime.now(UTC)
        start = read_moment(since, now)
        from sereno_backends.logs.elasticsearch_redelivery import Redelivery

        with contextlib.closing(Redelivery(url)) as redelivery:
            result = redelivery.run(start, now, services)
    except (ValueError, LogStoreRefused) as error:
        return _failed(str(error), ExitCode.INVALID_INPUT)
    except LogStoreUnreachable as error:
        return _failed(f"{error}; run it again, it goes on from there", ExitCode.UNREACHABLE)
    _print(result)
    return ExitCode.ANSWER_IS_NO if result.refused_again else ExitCode.OK


def _failed(message: str, code: ExitCode) -> ExitCode:
    click.echo(f"sereno logs redeliver: {message}", err=True)
    return code


def _print(result: "Redelivered") -> None:
    click.echo(f"delivered {result.delivered:,}, refused again {result.refused_again:,}")
    for reason, letters in sorted((result.refused or {}).items(), key=lambda each: -each[1]):
        click.echo(f"{letters:>8,} {plain(reason)}")
    if result.foreign:
        click.echo(f"{result.foreign:,} letters of other shippers do not hold their documents: left as they are")
    if result.kept:
        click.echo(f"{result.kept:,} delivered letters stay: deleting them is not granted; they do no harm")
