"""`python -m benchmarks.telemetry`: what instrumentation costs, whether it is right, and what it breaks."""

import datetime as dt
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import click
import orjson
from rich.console import Console

from benchmarks.telemetry.correctness import table
from benchmarks.telemetry.environment import Environment, PeersError, prepare
from benchmarks.telemetry.faults import table as faults_table
from benchmarks.telemetry.memory import growth
from benchmarks.telemetry.overhead import report as overhead_report
from benchmarks.telemetry.overhead import rounds
from benchmarks.telemetry.scrape import costs as scrape_costs
from benchmarks.telemetry.workers import WorkerError


@dataclass
class Run:
    """What all commands share."""

    telemetry: Path | None
    json_file: Path | None
    console: Console = field(default_factory=lambda: Console(width=150))
    started: float = field(default_factory=time.monotonic)

    def progress(self, text: str) -> None:
        """Say on standard error what is going on."""
        print(f"{time.monotonic() - self.started:6.0f} s  {text}", file=sys.stderr, flush=True)

    def environment(self) -> Environment:
        """The peers' environment; who is missing is told."""
        environment = prepare(self.telemetry, self.progress)
        for name in environment.missing:
            self.console.print(f"{name} could not be installed: left out, and no verdict is given")
        return environment

    def end(self, figures: object, misses: list[str]) -> None:
        """Write the figures, name what is missed, and end."""
        if self.json_file is not None:
            self.json_file.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
        for miss in misses:
            self.console.print(f"MISSED: {miss}", markup=False)
        self.console.print(f"took {time.monotonic() - self.started:.0f} s")
        sys.exit(1 if misses else 0)


@click.group()
@click.option(
    "--telemetry",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the sereno_telemetry to measure. Default: this checkout's.",
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all figures to this file.")
@click.pass_context
def main(context: click.Context, *, telemetry: Path | None, json_file: Path | None) -> None:
    """Sereno beside prometheus-fastapi-instrumentator, starlette-exporter, OpenTelemetry's, and FastAPI's own.

    They run on the versions that pyproject.toml pins as extra `peers`, installed below var/ at the first call. Each
    command ends with 1 if a requirement is missed.
    """
    # Both end the benchmark and the processes that it started, also where a script started it and ignores Ctrl-C.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    context.obj = Run(telemetry, json_file)


@main.command()
@click.pass_obj
def peers(run: Run) -> None:
    """Install the peers, and say which versions are compared."""
    for name, version in run.environment().versions.items():
        run.console.print(f"{name} {version}")


_KINDS = {kind.name: kind for kind in rounds.KINDS}


@main.command()
@click.option("--routes", multiple=True, type=click.IntRange(1, 1000), default=(1, 50), show_default=True)
@click.option("--kinds", multiple=True, type=click.Choice(list(_KINDS)), help="Default: all.")
@click.option("--generations", type=click.IntRange(1, 100), default=4, show_default=True, help="Sets of processes.")
@click.option(
    "--rounds", "round_count", type=click.IntRange(1, 1000), default=40, show_default=True, help="Of each set."
)
@click.option("--requests", type=click.IntRange(1), default=200, show_default=True, help="In a round, of each.")
@click.option("--quick", is_flag=True, help="A look in about a minute: two sets of 15 rounds.")
@click.pass_obj
def requests(
    run: Run,
    *,
    routes: tuple[int, ...],
    kinds: tuple[str, ...],
    generations: int,
    round_count: int,
    requests: int,
    quick: bool,
) -> None:
    """CPU microseconds that each instrumentation adds to a request."""
    if quick:
        generations, round_count = 2, 15
    environment = run.environment()
    costs = []
    for kind in [_KINDS[kind] for kind in kinds or _KINDS]:
        for count in routes:
            costs += rounds.measure(
                environment,
                kind,
                count,
                generations=generations,
                rounds=round_count,
                requests=requests,
                progress=run.progress,
            )
    overhead_report.print_costs(run.console, costs, with_verdict=not environment.missing)
    run.end(rounds.as_json(costs), [] if environment.missing else list(overhead_report.missed(costs)))


@main.command()
@click.option("--markdown", type=click.Path(path_type=Path), help="Write the page of the documentation to this file.")
@click.pass_obj
def correctness(run: Run, *, markdown: Path | None) -> None:
    """What requests are counted as, scenario by scenario, by each instrumentation."""
    environment = run.environment()
    rows = table.play_all(environment, run.progress)
    table.print_table(run.console, rows)
    if markdown is not None:
        today = dt.datetime.now(tz=dt.UTC).date()
        markdown.write_text(table.markdown(rows, environment, today), encoding="utf-8")
    run.end(table.as_json(rows), list(table.missed(rows)))


@main.command()
@click.pass_obj
def faults(run: Run) -> None:
    """Requests that break when the backends of metrics and traces raise."""
    environment = run.environment()
    rows = faults_table.break_all(environment, run.progress)
    faults_table.print_table(run.console, rows)
    run.end(faults_table.as_json(rows), list(faults_table.missed(rows)))


@main.command()
@click.option("--requests", type=click.IntRange(1), default=1_000_000, show_default=True, help="For Sereno.")
@click.option("--peer-requests", type=click.IntRange(0), default=100_000, show_default=True, help="For each other one.")
@click.option("--trace-memory", is_flag=True, help="Also count allocated bytes, by tracemalloc: three times as slow.")
@click.option("--quick", is_flag=True, help="A look in about a minute: 50,000 requests for Sereno alone.")
@click.pass_obj
def memory(run: Run, *, requests: int, peer_requests: int, trace_memory: bool, quick: bool) -> None:
    """What hostile paths, methods and headers leave behind in the process."""
    if quick:
        requests, peer_requests = 50_000, 0
    found = growth.grow(
        run.environment(),
        requests=requests,
        peer_requests=peer_requests,
        traced_memory=trace_memory,
        progress=run.progress,
    )
    growth.print_growth(run.console, found)
    run.end(growth.as_json(found), list(growth.missed(found)))


@main.command()
@click.option("--routes", multiple=True, type=click.IntRange(1, 300), default=scrape_costs.ROUTES, show_default=True)
@click.option("--scrapes", type=click.IntRange(1), default=7, show_default=True, help="Of each; the median is shown.")
@click.pass_obj
def scrape(run: Run, *, routes: tuple[int, ...], scrapes: int) -> None:
    """What a scrape costs the process, and how long its answer is."""
    environment = run.environment()
    found = []
    for count in routes:
        found += scrape_costs.measure(environment, count, scrapes=scrapes, progress=run.progress)
    scrape_costs.print_scrapes(run.console, found)
    run.end(scrape_costs.as_json(found), [])


def _guarded(command: Callable[[], None]) -> None:
    try:
        command()
    except (PeersError, WorkerError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    _guarded(main)
