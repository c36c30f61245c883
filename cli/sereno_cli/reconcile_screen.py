"""What `sereno reconcile` shows."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from sereno_cli.plain_text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sereno_collectors.logs.reconciling import Duplicate, Reconciliation


def print_json(answer: "Reconciliation") -> None:
    """The whole answer."""
    import orjson

    hours = [{**asdict(row), "emitted": row.emitted} for row in answer.hours]
    content = {"proven": answer.is_proven, **asdict(answer), "hours": hours}
    click.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z).decode())


def print_answer(answer: "Reconciliation") -> None:
    """A table by service and hour, every gap and every run of duplicates, and the verdict."""
    _print_table(answer)
    for each in answer.sources:
        if each.lowest > 1:
            click.echo(f"{plain(each.source)}: provable from number {each.lowest}; older ones are not in the store")
    for gap in answer.gaps:
        click.echo(
            f"missing: {plain(gap.source)} ({plain(gap.service)}) {gap.lowest} to {gap.highest}, {gap.documents:,} "
            f"documents between {_moment(gap.after)} and {_moment(gap.before)}; if the log files still hold them, "
            "collect them again"
        )
    for first, last in _runs(answer.duplicates):
        click.echo(
            f"twice: {_double(first, last)}; two shippers of one file, or two processes with one service.node.name"
        )
    click.echo(_verdict(answer))


def _print_table(answer: "Reconciliation") -> None:
    columns = ("emitted", "indexed", "dead_lettered", "queued", "missing", "twice")
    services = [plain(row.service) for row in answer.hours]
    widest = max(map(len, [*services, "service"]))
    click.echo(
        f"{'service':<{widest}}  {'hour (UTC)':<16}" + "".join(f"{name.replace('_', ' '):>15}" for name in columns)
    )
    for service, row in zip(services, answer.hours, strict=True):
        figures = "".join(f"{getattr(row, name):>15,}" for name in columns)
        click.echo(f"{service:<{widest}}  {row.hour:%Y-%m-%d %H:00}{figures}")


def _runs(duplicates: "tuple[Duplicate, ...]") -> "Iterator[tuple[Duplicate, Duplicate]]":
    """The first and the last of consecutive numbers with equally many documents: two shippers double whole files."""
    run: list[Duplicate] = []
    for one in duplicates:
        if run and (one.source, one.sequence, one.documents) != (
            run[-1].source,
            run[-1].sequence + 1,
            run[-1].documents,
        ):
            yield run[0], run[-1]
            run = []
        run = [run[0], one] if run else [one]
    if run:
        yield run[0], run[-1]


def _double(first: "Duplicate", last: "Duplicate") -> str:
    whose = f"{plain(first.source)} ({plain(first.service)}) {first.sequence}"
    apart = "" if last.last - first.first < timedelta(milliseconds=1) else f" to {_moment(last.last)}"
    if first is last:
        return f"{whose}, {first.documents} documents of {_moment(first.first)}{apart}"
    numbers = last.sequence - first.sequence + 1
    each = f"{numbers:,} numbers with {first.documents} documents each"
    return f"{whose} to {last.sequence}, {each}, of {_moment(first.first)}{apart}"


def _moment(moment: datetime | None) -> str:
    return "an end of what is stored" if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _verdict(answer: "Reconciliation") -> str:
    if not answer.hours:
        return "NOT proven: there is no document with a sequence number in this window, nothing to prove"
    missing, twice = (sum(getattr(row, name) for row in answer.hours) for name in ("missing", "twice"))
    if answer.is_proven:
        return f"proven: {sum(row.emitted for row in answer.hours):,} documents, none missing, none twice"
    return f"NOT proven: {missing:,} missing, {twice:,} twice"
