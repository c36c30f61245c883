"""`python -m benchmarks.chaos [--minutes 15] [--seed N]`: the demo under kill -9, and whether anything is lost.

    python -m benchmarks.chaos
    python -m benchmarks.chaos --minutes 5 --seed 7

Transactions-api, Prometheus, Alertmanager, incident receiver, log collector, webhook receiver and portal are killed,
frozen and started again at random, while requests, log lines and webhooks with numbers are sent and alerts fire by a
timetable. Ends with 1 where a page, its end, a log line or a webhook is lost or doubled, where the budget is wrong by
more than the gaps explain, or where a process doesn't come back. docs/reliability.md says what is lost by design.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from sereno_cli.demo.places import DemoError, find_clone

from benchmarks.chaos.report import show
from benchmarks.chaos.running import Order, run_chaos


def main(arguments: Sequence[str]) -> int:
    """Run, print, judge; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=15.0, help="how long processes are struck")
    parser.add_argument("--seed", type=int, default=None, help="of strikes and alerts; without one, another each time")
    parser.add_argument("--state", type=Path, default=None, help="where all files go and stay; else they are removed")
    given = parser.parse_args(arguments)
    if given.minutes <= 0:
        parser.error("--minutes must be more than 0")
    seed = given.seed if given.seed is not None else time.time_ns() % 1_000_000
    begun = time.monotonic()

    def tell(line: str) -> None:
        print(f"{time.monotonic() - begun:5.0f} s  {line}", flush=True)

    with tempfile.TemporaryDirectory(prefix="sereno-chaos-", ignore_cleanup_errors=True) as folder:
        try:
            state = given.state or Path(folder)
            report = run_chaos(find_clone(Path.cwd()), state, Order(given.minutes * 60, seed, tell))
        except DemoError as error:
            print(error, file=sys.stderr)
            return 3
    show(report)
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
