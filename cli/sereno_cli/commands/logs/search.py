"""`sereno logs search`: lines of the log store, with what stood around them."""

import contextlib
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sereno_backends.logs import LogRecord, LogStore

_CONTEXT_REACH = timedelta(hours=1)
"""How far from a line its neighbours are looked for; a source that pauses longer shows fewer of them."""

_EPILOG = """\b
Examples:
  sereno logs search "payment refused" --service checkout --level error --since 2h
  sereno logs search --trace 4bf92f3577b34da6a3ce929d0e0e4736 --since 1d
  sereno logs search timeout --window 2026-11-20T10:00:00Z..2026-11-20T10:15:00Z --context 5
  sereno logs search --level error --since 1d --top
  sereno logs search --dead-letters --since 7d
"""


class SearchRefused(Exception):  # noqa: N818 - reads as what happened
    """The arguments can't be used; the message says why and what to write."""


@click.command(epilog=_EPILOG)
@click.argument("words", nargs=-1)
@click.option("--service", "services", multiple=True, metavar="NAME", help="Only this service; may be repeated.")
@click.option("--level", "levels", multiple=True, metavar="LEVEL", help="Only this level; may be repeated.")
@click.option("--trace", metavar="ID", help="Only lines of this trace.")
@click.option("--since", default="1h", show_default=True, metavar="TIME", help="RFC 3339, or so long ago: 2h.")
@click.option("--window", metavar="FROM..TO", help="Instead of --since: both are times as there.")
@click.option("--around", metavar="TIME", help="Instead of --since: --minutes before and after this time.")
@click.option("--minutes", default=5, show_default=True, type=click.IntRange(1, 1440), help="For --around.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 100_000), help="The newest so many.")
@click.option("--context", default=0, metavar="N", type=click.IntRange(0, 100), help="N lines of the same source too.")
@click.option("--top", is_flag=True, help="The most frequent messages instead of lines.")
@click.option("--dead-letters", is_flag=True, help="What Elasticsearch refused, with reason and origin.")
@click.option("--full", is_flag=True, help="Whole stack traces, not only their last lines.")
@click.option("--json", "as_json", is_flag=True, help="The documents as they are stored, one a line.")
@click.option(
    "--log-store",
    default="var/logs.sqlite",
    show_default=True,
    metavar="PLACE",
    help="SQLite file; SERENO_ELASTICSEARCH_URL outranks it.",
)
def command(  # noqa: PLR0917 - click passes them by name
    words: tuple[str, ...],
    services: tuple[str, ...],
    levels: tuple[str, ...],
    trace: str | None,
    since: str,
    window: str | None,
    around: str | None,
    minutes: int,
    limit: int,
    context: int,
    top: bool,
    dead_letters: bool,
    full: bool,
    as_json: bool,
    log_store: str,
) -> ExitCode:
    """Search the log store: all WORDS must occur in a message, in any order and case.

    Exit code 1: nothing was found, and what was searched is told. With --dead-letters times are those of the refusal.
    """
    from sereno_backends.logs import LogQuery, LogStoreError, LogStoreUnreachable, open_dead_letters, open_log_store

    from sereno_cli.logs_screen import print_dead_letters, print_json, print_lines, print_nothing, print_top

    if top and (context or as_json):
        click.echo("sereno logs search: --top shows no lines; leave out --context and --json", err=True)
        return ExitCode.INVALID_INPUT
    if dead_letters and (context or top):
        click.echo("sereno logs search: dead letters have no neighbours; leave out --context and --top", err=True)
        return ExitCode.INVALID_INPUT
    try:
        start, end = _times(since, window, around, minutes, datetime.now(UTC))
    except SearchRefused as error:
        click.echo(f"sereno logs search: {error}", err=True)
        return ExitCode.INVALID_INPUT
    asked_levels = tuple(level.lower() for level in levels)
    query = LogQuery(start, end, services, asked_levels, trace_id=trace, text=" ".join(words) or None, limit=limit)
    try:
        place = os.environ.get("SERENO_ELASTICSEARCH_URL", "").strip() or log_store
        with contextlib.closing((open_dead_letters if dead_letters else open_log_store)(place)) as store:
            if top:
                frequent = store.top_messages(query)
                print_top(frequent)
                is_empty = not frequent
            else:
                found = store.search(query)
                shown = _with_context(store, found, context) if context else found
                if as_json:
                    print_json(shown)
                elif dead_letters:
                    print_dead_letters(shown)
                else:
                    print_lines(shown, {one.record_id for one in found}, full=full)
                is_empty = not found
            if is_empty:
                print_nothing(store, query)
    except LogStoreError as error:
        click.echo(f"sereno logs search: {error}", err=True)
        return ExitCode.UNREACHABLE if isinstance(error, LogStoreUnreachable) else ExitCode.INVALID_INPUT
    return ExitCode.ANSWER_IS_NO if is_empty else ExitCode.OK


def _times(
    since: str, window: str | None, around: str | None, minutes: int, now: datetime
) -> tuple[datetime, datetime]:
    """The window that is asked for."""
    from sereno_cli.moments import read_moment

    if window is not None and around is not None:
        raise SearchRefused("--window and --around name two windows; give one")
    try:
        if around is not None:
            middle, reach = read_moment(around, now), timedelta(minutes=minutes)
            return middle - reach, middle + reach
        if window is None:
            return read_moment(since, now), now
        first, separator, last = window.partition("..")
        if not separator:
            raise SearchRefused(f"--window {window} is no window; write FROM..TO, for example 2h..1h")
        start, end = read_moment(first, now), read_moment(last, now)
    except (ValueError, OverflowError) as error:
        raise SearchRefused(str(error)) from error
    if start >= end:
        raise SearchRefused(f"--window {window} ends before it begins; write the earlier time first")
    return start, end


def _with_context(store: "LogStore", found: "Sequence[LogRecord]", lines: int) -> "tuple[LogRecord, ...]":
    """The lines and their neighbours by number, each once, in the order of time and number.

    Lines without a sequence number have no neighbours that are known to be theirs: they stay alone.
    """
    from sereno_backends.logs import LogQuery
    from sereno_backends.logs.ecs import sequence_of, source_of

    every = {one.record_id: one for one in found}
    for one in found:
        source, sequence = source_of(one.document), sequence_of(one.document)
        if source is None or sequence is None:
            continue
        near = LogQuery(
            one.timestamp - _CONTEXT_REACH,
            one.timestamp + _CONTEXT_REACH,
            source=source,
            sequences=(sequence - lines, sequence + lines),
            limit=2 * lines + 1,
        )
        every.update((record.record_id, record) for record in store.search(near))
    return tuple(sorted(every.values(), key=lambda one: (one.timestamp, sequence_of(one.document) or 0)))
