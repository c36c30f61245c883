"""`python -m benchmarks.alert_quality`: who pages for what is worth it, and for nothing else."""

import sys
import time
from pathlib import Path

import click
import orjson
from rich.console import Console

from benchmarks.alert_quality.month import months, promises
from benchmarks.alert_quality.policies import POLICIES
from benchmarks.alert_quality.report import as_json, broken, print_details, print_months, print_promises
from benchmarks.alert_quality.scenarios import FAMILIES, SEEDS


@click.command(
    epilog="\b\nExamples:\n"
    "  python -m benchmarks.alert_quality\n"
    "  python -m benchmarks.alert_quality --seeds tuning --details 'sereno, budget'\n"
    "  python -m benchmarks.alert_quality --family 300/h --seeds tuning"
)
@click.option(
    "--seeds", type=click.Choice(list(SEEDS)), default="judging", show_default=True, help="Named sets of them."
)
@click.option(
    "--family", "chosen", multiple=True, type=click.Choice([family.name for family in FAMILIES]), help="Default: all."
)
@click.option("--details", type=click.Choice(list(POLICIES)), help="List the wrong pages and the misses of a policy.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all figures to this file.")
def main(*, seeds: str, chosen: tuple[str, ...], details: str | None, json_file: Path | None) -> None:
    """Pages, precision, recall and detection of Sereno's modes and of the peers' default policies, on labelled months.

    What the labels mean stands in benchmarks/alert_quality/__init__.py. Ends with 1 if a promise is broken (all
    families only: one alone has too few pages to judge by).
    """
    console = Console(width=150)
    started = time.monotonic()

    def progress(text: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {text}", file=sys.stderr)

    families = [family for family in FAMILIES if family.name in (chosen or {family.name})]
    policies = list(POLICIES)
    judged = months(families, SEEDS[seeds], policies, progress)
    print_months(console, judged, policies)
    kept = promises(policies) if not chosen else ()
    if kept:
        print_promises(console, kept)
    if details is not None:
        print_details(console, judged, details)
    if json_file is not None:
        json_file.write_bytes(orjson.dumps(as_json(judged, policies), option=orjson.OPT_INDENT_2))
    misses = list(broken(judged, kept)) if not chosen else []
    for miss in misses:
        console.print(f"MISSED: {miss}")
    console.print(f"{seeds} seeds {min(SEEDS[seeds])} to {max(SEEDS[seeds])}; took {time.monotonic() - started:.0f} s")
    sys.exit(1 if misses else 0)


if __name__ == "__main__":
    main()
