"""`python -m benchmarks.soak [--minutes 60]`: each long-running part under steady load, and whether it grows.

    python -m benchmarks.soak
    python -m benchmarks.soak --minutes 600

Exporter, log collector, webhook receiver, incident receiver, portal and a service with Sereno's telemetry; every five
seconds their memory, open files and threads, and the sizes of write-ahead logs and of the queue. What counts is the
slope of the last three quarters of the time. Ends with 1 where memory may grow by 2 MB an hour or more, where files,
threads or logs do, or where a part answers with an error. In less than half an hour the slope isn't known well enough.
Linux only.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sereno_cli.demo.places import DemoError, find_clone

from benchmarks.soak.judging import LIMIT_BYTES_AN_HOUR, MEGABYTE, MOST_LOG_BYTES, in_megabytes
from benchmarks.soak.running import Soak, run_soak

_SHOWN = 10


def main(arguments: Sequence[str]) -> int:
    """Run, print, judge; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="how long the load lasts")
    parser.add_argument("--state", type=Path, default=None, help="where all files go and stay; else they are removed")
    given = parser.parse_args(arguments)
    if given.minutes <= 0:
        parser.error("--minutes must be more than 0")
    begun = time.monotonic()

    def tell(line: str) -> None:
        print(f"{time.monotonic() - begun:5.0f} s  {line}", flush=True)

    with tempfile.TemporaryDirectory(prefix="sereno-soak-", ignore_cleanup_errors=True) as folder:
        try:
            state = given.state or Path(folder)
            soak = run_soak(find_clone(Path.cwd()), state, seconds=given.minutes * 60, tell=tell)
        except DemoError as error:
            print(error, file=sys.stderr)
            return 3
    _show(soak)
    return 0 if soak.good else 1


def _show(soak: Soak) -> None:
    console = Console(width=120)
    columns = ("part", "samples", "MB, settled", "MB, last", "MB an hour (95 %)", "files", "threads", "flat")
    table = Table(
        *columns, title=f"Memory of each part; less than {LIMIT_BYTES_AN_HOUR / MEGABYTE:g} MB an hour is flat"
    )
    for each in soak.growths:
        table.add_row(
            each.part,
            str(each.samples),
            *(f"{size / MEGABYTE:.1f}" for size in (each.first_bytes, each.last_bytes)),
            in_megabytes(each.slope),
            *(f"{before} → {after}" for before, after in (each.files, each.threads)),
            "yes" if each.flat else "NO",
        )
    console.print(table)
    for name, size in soak.logs.items():
        bounded = "" if size <= MOST_LOG_BYTES else f"  MORE THAN {MOST_LOG_BYTES / MEGABYTE:g} MB"
        console.print(f"at most {size / MEGABYTE:6.1f} MB  {name}{bounded}", highlight=False)
    console.print(soak.load)
    for failure in soak.failures[:_SHOWN]:
        console.print(f"  {failure}", markup=False)
    console.print("flat" if soak.good else "NOT FLAT")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
