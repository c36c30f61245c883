"""`python -m benchmarks.cost`: what rules of error budgets read, and whether a thousand SLOs keep up."""

import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path

import click
import orjson
from rich.console import Console

from benchmarks.cost.comparison import compare
from benchmarks.cost.exporter import ExporterError
from benchmarks.cost.load import failures, run_load
from benchmarks.cost.measuring import MeasuringError
from benchmarks.cost.past import PastError
from benchmarks.cost.peers import PeerError
from benchmarks.cost.raw import SIZES, Kind
from benchmarks.cost.report import as_json, missed, print_comparison, print_load
from benchmarks.cost.running import LoadError
from benchmarks.cost.specs import SpecError
from benchmarks.simulation import ServerError

_KEPT = Path("var/benchmarks/cost")
_KINDS = {"ratio": Kind.RATIO, "latency": Kind.LATENCY, "grouped": Kind.GROUPED}
_SIZES = {str(size.raw_series): size for size in SIZES}


@click.command()
@click.option("--sizes", multiple=True, type=click.Choice(list(_SIZES)), help="Raw series of the SLO. Default: all.")
@click.option("--kinds", multiple=True, type=click.Choice(list(_KINDS)), help="Default: all.")
@click.option("--slos", type=click.IntRange(1, 10_000), help="Instead: run so many SLOs on one Prometheus.")
@click.option(
    "--minutes", type=click.FloatRange(1, 1440), default=15.0, show_default=True, help="With --slos: how long."
)
@click.option("--prometheus", metavar="PROGRAM", help="Default: the one on PATH.")
@click.option("--sloth", metavar="PROGRAM", help="Default: the one on PATH, else its documented rules.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all figures to this file.")
def main(
    *,
    sizes: tuple[str, ...],
    kinds: tuple[str, ...],
    slos: int | None,
    minutes: float,
    prometheus: str | None,
    sloth: str | None,
    json_file: Path | None,
) -> None:
    """Samples that one SLO's rules read per minute, by Sereno, sloth and pyrra, on a real Prometheus.

    With --slos: whether that many SLOs keep up on one running Prometheus, and what it needs. Ends with 1 if a
    requirement is missed.
    """
    # Both end the benchmark and the processes that it started, also where a script started it and ignores Ctrl-C.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    console = Console(width=140)
    started = time.monotonic()

    def progress(text: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {text}", file=sys.stderr)

    try:
        if slos is None:
            chosen = [_SIZES[size] for size in sizes or _SIZES], [_KINDS[kind] for kind in kinds or _KINDS]
            contests, skipped = compare(*chosen, prometheus=prometheus, sloth=sloth, progress=progress)
            print_comparison(console, contests, skipped)
            figures, misses = as_json(contests), list(missed(contests))
        else:
            load = run_load(slos, minutes, folder=_KEPT, prometheus=prometheus, progress=progress)
            print_load(console, load)
            figures, misses = [asdict(load)], list(failures(load))
    except (ExporterError, LoadError, MeasuringError, PastError, PeerError, ServerError, SpecError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    if json_file is not None:
        json_file.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
    for miss in misses:
        console.print(f"MISSED: {miss}")
    console.print(f"took {time.monotonic() - started:.0f} s")
    sys.exit(1 if misses else 0)


if __name__ == "__main__":
    main()
