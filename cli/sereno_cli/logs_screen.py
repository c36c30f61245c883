"""What `sereno logs search` shows."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from sereno_cli.plain_text import plain

if TYPE_CHECKING:
    from sereno_backends.logs import LogQuery, LogRecord, LogStore, MessageCount
    from sereno_backends.logs.message_groups import MessageGroup

_COLOURS = {"warning": "yellow", "error": "red", "critical": "bright_red", "fatal": "bright_red", "debug": "cyan"}
_LAST_TRACE_LINES = 3
_SAMPLE = 1000
"""How many records are looked at to name the services that are there."""


def print_lines(records: "Sequence[LogRecord]", found: set[str], *, full: bool) -> None:
    """One line for each record, and the end of its stack trace; those that only stand around are dim on a terminal."""
    from sereno_backends.logs.ecs import format_timestamp, lookup

    for record in records:
        is_found = record.record_id in found
        level = _level(record.level, dim=not is_found)
        trace = f"  trace={plain(record.trace_id)}" if record.trace_id else ""
        text = f"{plain(record.service)}: {plain(record.message)}{trace}"
        click.echo(f"{format_timestamp(record.timestamp)} {level} {click.style(text, dim=not is_found)}")
        stack = lookup(record.document, "error.stack_trace")
        if isinstance(stack, str):
            _print_stack(stack.rstrip().split("\n"), full=full)


def _level(level: str, *, dim: bool | None = None) -> str:
    return click.style(f"{plain(level):<8}", fg=_COLOURS.get(level), dim=dim)


def _print_stack(lines: Sequence[str], *, full: bool) -> None:
    left_out = 0 if full else len(lines) - _LAST_TRACE_LINES
    if left_out > 0:
        click.echo(f"    … {left_out} lines before (--full shows them)")
        lines = lines[left_out:]
    for line in lines:
        click.echo(f"    {plain(line)}")


def print_dead_letters(records: "Sequence[LogRecord]") -> None:
    """When each was refused, whose line it was, why it was refused, and from where to where it should have gone."""
    from sereno_backends.logs.dead_letters import DeadLetterOrigin
    from sereno_backends.logs.ecs import format_timestamp

    for record in records:
        origin = DeadLetterOrigin.of(record.document)
        place = origin.path if origin.offset is None else f"{origin.path} at byte {origin.offset}"
        level = _level(record.level)
        click.echo(f"{format_timestamp(record.timestamp)} {level} {plain(record.service)}: {plain(record.message)}")
        click.echo(f"    refused: {plain(origin.reason)}")
        click.echo(f"    from {plain(place) or 'an unknown place'} to {plain(origin.stream) or 'an unknown stream'}")


def print_json(records: "Sequence[LogRecord]") -> None:
    """The documents as they were stored, one a line."""
    import orjson

    for record in records:
        click.echo(orjson.dumps(record.document).decode())


def print_top(counts: "Sequence[MessageCount]") -> None:
    """The most frequent messages, with when they came and one trace to look at."""
    from sereno_backends.logs.ecs import format_timestamp

    for one in counts:
        level = _level(one.level)
        trace = f"  trace={plain(one.trace_id)}" if one.trace_id else ""
        when = f"{format_timestamp(one.first)} … {format_timestamp(one.last)}"
        click.echo(f"{one.count:>8} {level} {plain(one.message)}  ({when}){trace}")


def print_groups(groups: "Sequence[MessageGroup]") -> None:
    """The kinds of messages, with their fingerprints, how many different ones there are, and one trace to look at."""
    from sereno_backends.logs.ecs import format_timestamp

    for one in groups:
        level = _level(one.level)
        trace = f"  trace={plain(one.trace_id)}" if one.trace_id else ""
        when = f"{format_timestamp(one.first)} … {format_timestamp(one.last)}"
        several = f", {one.different_messages} different messages" if one.different_messages > 1 else ""
        kind = f"{one.fingerprint.identity}  {plain(one.fingerprint.template)}"
        click.echo(f"{one.count:>8} {level} {kind}  ({when}{several}){trace}")


def print_nothing(store: "LogStore", query: "LogQuery") -> None:
    """Say what was searched, and what is there instead."""
    from sereno_backends.logs.ecs import format_timestamp

    window = f"{format_timestamp(query.start)}..{format_timestamp(query.end)}"
    click.echo(f"nothing found in {store.name}, {window}", err=True)
    bare = replace(query, services=(), levels=(), trace_id=None, text=None, limit=_SAMPLE)
    near = store.search(bare)
    if not near:
        click.echo("the window is empty; an earlier --since or --window looks further back", err=True)
        return
    names = {record.service for record in near}
    unknown = [name for name in query.services if store.count(replace(bare, services=(name,))) == 0]
    if unknown:
        there = ", ".join(map(plain, sorted(names)[:20]))
        click.echo(f"no lines of {', '.join(unknown)}; there are {there}", err=True)
    else:
        click.echo(f"{store.count(bare)} lines of other kinds are in this window", err=True)
