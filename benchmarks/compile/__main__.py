"""`python -m benchmarks.compile`: how long people wait for the compiler, and for sloth's with the same SLOs."""

import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import click
import orjson
from rich.console import Console

from benchmarks.compile.measuring import MeasuringError
from benchmarks.compile.report import as_json, missed, print_trials
from benchmarks.compile.trials import Trial, trials

_SIZES = (1, 100, 1_000, 5_000)
_EPILOG = """\b
Examples:
  python -m benchmarks.compile                        1, 100, 1,000 and 5,000 SLOs
  python -m benchmarks.compile --slos 1000 --runs 5   one size, more often
  python -m benchmarks.compile --rules-only           what sloth writes, too: rules and nothing else
  SLOTH=/opt/sloth python -m benchmarks.compile       beside this sloth
"""


@click.command(epilog=_EPILOG)
@click.option("--slos", multiple=True, type=click.IntRange(1, 20_000), help=f"Default: {', '.join(map(str, _SIZES))}.")
@click.option("--runs", type=click.IntRange(1, 100), default=3, show_default=True, help="Of each; the median is shown.")
@click.option("--rules-only", is_flag=True, help="Leave out dashboards, runbooks, tests and the rest.")
@click.option("--sloth", metavar="PROGRAM", help="Default: $SLOTH, else the one on PATH, else nothing to compare with.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all figures to this file.")
def main(*, slos: tuple[int, ...], runs: int, rules_only: bool, sloth: str | None, json_file: Path | None) -> None:
    """Seconds, processor time, memory and bytes written, of whole processes, the start of Python included.

    One SLO a file. Rules alone are compiled without a cache, by both tools in turn; then everything (rules, tests,
    dashboards, runbooks, …), and again after one spec has changed, and after none has. Ends with 1 if a requirement is
    missed; on a machine that does other things, repeat it before you believe it.
    """
    # Both end the benchmark and the processes that it started, also where a script started it and ignores Ctrl-C.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    console = Console(width=120)
    started = time.monotonic()

    def progress(text: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {text}", file=sys.stderr)

    peer = sloth or os.environ.get("SLOTH") or shutil.which("sloth")
    found: list[Trial] = []
    try:
        with tempfile.TemporaryDirectory(prefix="sereno-compile-") as name:
            for count in slos or _SIZES:
                folder = Path(name, str(count))
                folder.mkdir()
                found += trials(count, runs, folder=folder, sloth=peer, rules_only=rules_only, progress=progress)
    except (MeasuringError, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    print_trials(console, found)
    if peer is None:
        console.print("no sloth on PATH and none in $SLOTH: nothing to compare with")
    if json_file is not None:
        json_file.write_bytes(orjson.dumps(as_json(found), option=orjson.OPT_INDENT_2))
    misses = list(missed(found))
    for miss in misses:
        console.print(f"MISSED: {miss}")
    console.print(f"took {time.monotonic() - started:.0f} s on {os.cpu_count()} processors")
    sys.exit(1 if misses else 0)


if __name__ == "__main__":
    main()
