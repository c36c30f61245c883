"""`python -m benchmarks.telemetry_processes`: what several processes of one service cost."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.telemetry_processes import generations as scraping
from benchmarks.telemetry_processes import observing
from benchmarks.telemetry_processes.generations import Scrapes
from benchmarks.telemetry_processes.observing import Observation

_GENERATIONS = (1, 10, 100, 300)
_GROWTH = 1.5
"""A scrape after many generations may cost so much more than after the first, with the noise of a busy machine."""


@click.command()
@click.option("--generations", multiple=True, type=click.IntRange(1, 5_000), help=f"Default: {_GENERATIONS}.")
@click.option("--runs", type=click.IntRange(1, 100), default=5, show_default=True, help="Of each; the median is shown.")
def main(*, generations: tuple[int, ...], runs: int) -> None:
    """Processor time of scrapes after many workers have lived and died, and of single observations.

    Each worker leaves 60 histograms of 15 buckets. prometheus_client's own reader has the same past before it, its
    `mark_process_dead` called for each death. Ends with 1 if a sum differs, or files or scrapes grow with generations.
    """
    console = Console(width=110)
    scrapes: list[Scrapes] = []
    for count in generations or _GENERATIONS:
        with tempfile.TemporaryDirectory(prefix="sereno-processes-") as folder:
            scrapes += scraping.measure(Path(folder), count, runs)
    _print_scrapes(console, scrapes)
    _print_observations(console, observing.measure(runs))
    misses = list(missed(scrapes))
    for miss in misses:
        console.print(f"MISSED: {miss}")
    sys.exit(1 if misses else 0)


def missed(scrapes: Sequence[Scrapes]) -> Iterator[str]:
    """What isn't as promised."""
    ours = [each for each in scrapes if each.reader == "Sereno"]
    peers = {each.generations: each for each in scrapes if each.reader == "prometheus_client"}
    for each in ours:
        if each.requests != peers[each.generations].requests:
            yield f"{each.requests:g} requests after {each.generations} generations, not as prometheus_client's reader"
        if each.files != ours[0].files or each.kibibytes > ours[0].kibibytes * _GROWTH:
            yield f"{each.files} files, {each.kibibytes:.0f} KiB after {each.generations} generations"
        if each.milliseconds > ours[0].milliseconds * _GROWTH:
            yield f"{each.milliseconds:.1f} ms a scrape after {each.generations} generations"


def _print_scrapes(console: Console, scrapes: Sequence[Scrapes]) -> None:
    table = Table("dead workers", "read by", "files", "KiB", "ms a scrape", title="Scrapes, 3 living workers")
    for each in scrapes:
        table.add_row(
            f"{each.generations:,}",
            each.reader,
            f"{each.files:,}",
            f"{each.kibibytes:,.0f}",
            f"{each.milliseconds:.1f}",
        )
    console.print(table)


def _print_observations(console: Console, observations: Sequence[Observation]) -> None:
    table = Table("metrics are kept", "with a trace id", "µs", title="One observation of a histogram")
    for each in observations:
        table.add_row(each.where, "yes" if each.traced else "no", f"{each.microseconds:.2f}")
    console.print(table)


if __name__ == "__main__":
    main()
