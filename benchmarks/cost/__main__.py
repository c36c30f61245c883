"""`python -m benchmarks.cost`: what rules of error budgets read, and whether a thousand SLOs keep up."""

import sys
import time
from pathlib import Path

import click
import orjson
from rich.console import Console

from benchmarks.cost.comparison import compare
from benchmarks.cost.measuring import MeasuringError
from benchmarks.cost.raw import SIZES, Kind
from benchmarks.cost.report import as_json, missed, print_comparison
from benchmarks.simulation import ServerError

_KINDS = {"ratio": Kind.RATIO, "latency": Kind.LATENCY, "grouped": Kind.GROUPED}
_SIZES = {str(size.raw_series): size for size in SIZES}


@click.command()
@click.option("--sizes", multiple=True, type=click.Choice(list(_SIZES)), help="Raw series of the SLO. Default: all.")
@click.option("--kinds", multiple=True, type=click.Choice(list(_KINDS)), help="Default: all.")
@click.option("--prometheus", metavar="PROGRAM", help="Default: the one on PATH.")
@click.option("--sloth", metavar="PROGRAM", help="Default: the one on PATH, else its documented rules.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all figures to this file.")
def main(
    sizes: tuple[str, ...], kinds: tuple[str, ...], prometheus: str | None, sloth: str | None, json_file: Path | None
) -> None:
    """Samples that one SLO's rules read per minute, by Sereno, sloth and pyrra, on a real Prometheus."""
    console = Console(width=140)
    started = time.monotonic()
    try:
        contests, skipped = compare(
            [_SIZES[size] for size in sizes or _SIZES],
            [_KINDS[kind] for kind in kinds or _KINDS],
            prometheus=prometheus,
            sloth=sloth,
            progress=lambda text: print(f"{time.monotonic() - started:6.0f} s  {text}", file=sys.stderr),
        )
    except (MeasuringError, ServerError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    print_comparison(console, contests, skipped)
    if json_file is not None:
        json_file.write_bytes(orjson.dumps(as_json(contests), option=orjson.OPT_INDENT_2))
    failures = list(missed(contests))
    for failure in failures:
        console.print(f"MISSED: {failure}")
    console.print(f"took {time.monotonic() - started:.0f} s")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
