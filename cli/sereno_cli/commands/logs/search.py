"""`sereno logs search`: lines of the log store, with what stood around them."""

import contextlib
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sereno_backends.kibana import Kibana
    from sereno_backends.logs import LogQuery, LogRecord, LogStore

_CONTEXT_REACH = timedelta(hours=1)
"""How far from a line its neighbours are looked for; a source that pauses longer shows fewer of them."""

_GROUPED_MESSAGES = 10_000
"""Different messages that --alike looks at."""

_EPILOG = """\b
Examples:
  sereno logs search "payment refused" --service checkout --level error --since 2h
  sereno logs search --trace 4bf92f3577b34da6a3ce929d0e0e4736 --since 1d
  sereno logs search timeout --window 2026-11-20T10:00:00Z..2026-11-20T10:15:00Z --context 5
  sereno logs search --level error --since 1d --top --alike
  sereno logs search --level error --follow
  sereno logs search --dead-letters --since 7d
  SERENO_KIBANA_URL=https://kibana.example.org sereno logs search refused --since 2h --link
"""


@dataclass(frozen=True, slots=True)
class _Asked:
    """The options, by their names."""

    services: tuple[str, ...]
    levels: tuple[str, ...]
    trace: str | None
    since: str
    window: str | None
    around: str | None
    minutes: int
    limit: int
    context: int
    top: bool
    alike: bool
    follow: bool
    link: bool
    dead_letters: bool
    full: bool
    as_json: bool
    log_store: str


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
@click.option("--alike", is_flag=True, help="With --top: messages that differ in numbers, ids and names are one.")
@click.option("--follow", is_flag=True, help="Go on with what comes, until Ctrl-C; late lines are shown, too.")
@click.option("--link", is_flag=True, help="Only print the address that shows the same in Kibana (SERENO_KIBANA_URL).")
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
def command(words: tuple[str, ...], **options: Any) -> ExitCode:
    """Search the log store: all WORDS must occur in a message, in any order and case.

    \b
    SERENO_ELASTICSEARCH_URL  search there instead of in --log-store
    SERENO_KIBANA_URL         Kibana's address (with /s/NAME for a space), for --link and below what is found
    SERENO_KIBANA_DATA_VIEW   id of the data view there, if not logs-*

    Exit code 1: nothing was found, and what was searched is told. With --dead-letters times are those of the refusal.
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    from sereno_backends.kibana import KibanaAddressError, kibana_of
    from sereno_backends.logs import LogStoreError, LogStoreUnreachable

    try:
        asked = _Asked(**options)
        _refuse_contradictions(asked)
        query = _query(words, asked)
        kibana = kibana_of(os.environ)
        if asked.link:
            return _print_link(kibana, query)
        return _searched(asked, query, kibana)
    except (SearchRefused, KibanaAddressError) as error:
        click.echo(f"sereno logs search: {error}", err=True)
        return ExitCode.INVALID_INPUT
    except LogStoreError as error:
        click.echo(f"sereno logs search: {error}", err=True)
        return ExitCode.UNREACHABLE if isinstance(error, LogStoreUnreachable) else ExitCode.INVALID_INPUT


def _refuse_contradictions(asked: _Asked) -> None:
    if asked.top and (asked.context or asked.as_json):
        raise SearchRefused("--top shows no lines; leave out --context and --json")
    if asked.alike and not asked.top:
        raise SearchRefused("--alike counts messages; add --top")
    if asked.follow and (asked.top or asked.context or asked.link or asked.window or asked.around):
        raise SearchRefused("--follow shows lines as they come; leave out --top, --context, --link, --window, --around")
    if asked.dead_letters and (asked.top or asked.context or asked.link or asked.follow):
        raise SearchRefused("dead letters are shown as they are; leave out --context, --top, --follow, --link")


def _query(words: tuple[str, ...], asked: _Asked) -> "LogQuery":
    from sereno_backends.logs import LogQuery

    start, end = _times(asked.since, asked.window, asked.around, asked.minutes, datetime.now(UTC))
    levels = tuple(level.lower() for level in asked.levels)
    text = " ".join(words) or None
    return LogQuery(start, end, asked.services, levels, trace_id=asked.trace, text=text, limit=asked.limit)


def _print_link(kibana: "Kibana | None", query: "LogQuery") -> ExitCode:
    from sereno_backends.kibana import discover_url

    if kibana is None:
        raise SearchRefused("--link needs to know Kibana: SERENO_KIBANA_URL=https://kibana.example.org")
    click.echo(discover_url(kibana, query))
    return ExitCode.OK


def _searched(asked: _Asked, query: "LogQuery", kibana: "Kibana | None") -> ExitCode:
    from sereno_backends.kibana import discover_url
    from sereno_backends.logs import open_dead_letters, open_log_store

    from sereno_cli.log_following import follow
    from sereno_cli.logs_screen import print_nothing

    elasticsearch = os.environ.get("SERENO_ELASTICSEARCH_URL", "").strip()
    opened = open_dead_letters if asked.dead_letters else open_log_store
    with contextlib.closing(opened(elasticsearch or asked.log_store)) as store:
        if asked.follow:
            return follow(store, query, as_json=asked.as_json, full=asked.full)
        is_found = _print_counts(store, query, asked) if asked.top else _print_found(store, query, asked)
        if not is_found:
            print_nothing(store, query)
    if elasticsearch and kibana is not None and not (asked.as_json or asked.dead_letters):
        click.echo(f"in Kibana: {discover_url(kibana, query)}", err=True)
    return ExitCode.OK if is_found else ExitCode.ANSWER_IS_NO


def _print_counts(store: "LogStore", query: "LogQuery", asked: _Asked) -> bool:
    from sereno_backends.logs.message_groups import grouped

    from sereno_cli.logs_screen import print_groups, print_top

    if not asked.alike:
        frequent = store.top_messages(query)
        print_top(frequent)
        return bool(frequent)
    messages = store.top_messages(replace(query, limit=_GROUPED_MESSAGES))
    print_groups(grouped(messages)[: query.limit])
    if len(messages) == _GROUPED_MESSAGES:
        click.echo(f"of the {_GROUPED_MESSAGES} most frequent messages; rarer ones are not counted", err=True)
    return bool(messages)


def _print_found(store: "LogStore", query: "LogQuery", asked: _Asked) -> bool:
    from sereno_cli.logs_screen import print_dead_letters, print_json, print_lines

    found = store.search(query)
    shown = _with_context(store, found, asked.context) if asked.context else found
    if asked.as_json:
        print_json(shown)
    elif asked.dead_letters:
        print_dead_letters(shown)
    else:
        print_lines(shown, {one.record_id for one in found}, full=asked.full)
    return bool(found)


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
            start = read_moment(since, now)
            if start > now:
                raise SearchRefused(f"--since {since} is in the future; write a time that is over")
            return start, now
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
