"""`sereno logs size`: how many nodes, shards and bytes so many log lines need."""

import re
from math import isnan
from typing import Any

import click

from sereno_cli.exit_codes import ExitCode

_EPILOG = """\b
Examples:
  sereno logs size --lines 2000 --bytes 600 --days 30
      2,000 lines a second on average, of 600 bytes each, kept for 30 days with one replica
  sereno logs size --lines 2000 --bytes 600 --days 30 --replicas 0 --disk 4tb --json
"""
_SIZE = re.compile(r"(\d+(?:\.\d+)?)(gb|tb)")
_UNITS = {"gb": 2**30, "tb": 2**40}


def _bytes(ctx: click.Context, param: click.Parameter, given: str) -> float:  # noqa: ARG001
    """`500gb` or `4tb`, as Elasticsearch writes sizes: powers of 1024."""
    found = _SIZE.fullmatch(given.strip().lower())
    if found is None or float(found[1]) == 0:
        raise click.BadParameter(f"{given!r} is no size; write for example 500gb or 4tb")
    return float(found[1]) * _UNITS[found[2]]


class _Number(click.FloatRange):
    """A number within a range; `nan`, which click finds in every range, is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        number: float = super().convert(value, param, ctx)
        return self.fail(f"{value} is no number.", param, ctx) if isnan(number) else number


_ABOVE_ZERO = _Number(0, 1e9, min_open=True)


@click.command(epilog=_EPILOG)
@click.option("--lines", required=True, type=_ABOVE_ZERO, help="Lines a second, on average over a day.")
@click.option("--bytes", "bytes_", required=True, type=_ABOVE_ZERO, help="Bytes a line, on average.")
@click.option("--days", required=True, type=_Number(1 / 24, 3650), help="How long they are kept.")
@click.option("--replicas", default=1, show_default=True, type=click.IntRange(0, 5), help="Copies of each shard.")
@click.option(
    "--rollover-days",
    type=_Number(1 / 24, 365),
    help="Age at which the next index is begun  [default: by --days, as retention files have it]",
)
@click.option("--peak", default=3.0, show_default=True, type=_Number(1, 1000), help="Busiest minutes over the average.")
@click.option("--disk", default="1tb", show_default=True, callback=_bytes, metavar="SIZE", help="Disk of a data node.")
@click.option(
    "--ratio",
    type=_ABOVE_ZERO,
    help="Bytes on disk for a byte of line  [default: what was measured of Sereno's own lines]",
)
@click.option(
    "--shard-lines",
    default=10_000.0,
    show_default=True,
    type=_ABOVE_ZERO,
    help="Lines a second that one primary shard takes.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def command(
    *,
    lines: float,
    bytes_: float,
    days: float,
    replicas: int,
    rollover_days: float | None,
    peak: float,
    disk: float,
    ratio: float | None,
    shard_lines: float,
    as_json: bool,
) -> ExitCode:
    """Tell how large an Elasticsearch has to be: data nodes, shards, disk, heap.

    Arithmetic only, no server is asked. docs/scale-out/elasticsearch.md has the formulae and where their numbers come
    from; what a byte of line takes on disk depends on your lines, so measure it and give --ratio.
    """
    from datetime import timedelta

    from sereno_backends.logs.lifecycle import Retention
    from sereno_backends.logs.sizing import DISK_PER_LINE_BYTE, LogLoad, size_cluster

    from sereno_cli.sizing_screen import print_size, size_json

    age = rollover_days or min(days, Retention(timedelta(days=days)).age_to_roll_over / timedelta(days=1))
    if age > days:
        raise click.BadParameter(f"{age:g} is longer than --days, {days:g}", param_hint="--rollover-days")
    load = LogLoad(lines, bytes_, days, age, replicas, peak, disk, ratio or DISK_PER_LINE_BYTE, shard_lines)
    size = size_cluster(load)
    if as_json:
        click.echo(size_json(load, size))
    else:
        print_size(load, size)
    return ExitCode.OK
