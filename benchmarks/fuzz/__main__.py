"""`python -m benchmarks.fuzz [--minutes 10] [TARGET…]`: feeds each target for that time; ends with 1 on a finding."""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.fuzz.cases import LONGEST_CASE_SECONDS
from benchmarks.fuzz.running import MOST_GROWTH_BYTES, Result, engines, run
from benchmarks.fuzz.targets import MODULES

_SECONDS = 60.0
_MEBIBYTE = 1 << 20


def main() -> int:
    """Run, print the table, judge."""
    arguments = _arguments()
    chosen = [(target, engine) for target in arguments.targets or MODULES for engine in arguments.engines]
    seconds = arguments.minutes * _SECONDS / len(arguments.engines)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        results = list(pool.map(lambda pair: _one(pair[0], pair[1], seconds, arguments.folder), chosen))
    print(
        f"\nEach target for {arguments.minutes:g} min; "
        f"a hang is a case of more than {LONGEST_CASE_SECONDS:g} s of CPU\n"
    )
    print("| target | engine | cases | cases/s | slowest s | crashes | hangs | memory growth MiB |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for result in results:
        print(_row(result))
    for result in results:
        _tell(result, arguments.folder)
    kept = all(result.is_kept for result in results)
    growth = MOST_GROWTH_BYTES // _MEBIBYTE
    print(f"\nNo crash, no hang, no growth of more than {growth} MiB: {'kept' if kept else 'missed'}")
    return 0 if kept else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(MODULES))
    parser.add_argument("--minutes", type=float, default=10.0, help="for each target, shared by the engines")
    parser.add_argument("--jobs", type=int, default=1, help="targets at the same time")
    parser.add_argument("--folder", type=Path, default=Path("var/fuzz"), help="where failing inputs are written")
    parser.add_argument(
        "--engine", dest="engines", action="append", choices=engines(), help="default: all that are there"
    )
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.targets) - set(MODULES))
    if unknown:
        parser.error(f"no target is called {', '.join(unknown)}; there are: {', '.join(MODULES)}")
    arguments.engines = arguments.engines or list(engines())
    return arguments


def _one(target: str, engine: str, seconds: float, folder: Path) -> Result:
    result = run(target, engine, seconds, folder)
    print(f"{target} ({engine}): {'kept' if result.is_kept else 'FOUND SOMETHING'}", file=sys.stderr, flush=True)
    return result


def _row(result: Result) -> str:
    counted = result.counted
    speed = counted.cases / counted.seconds if counted.seconds else 0.0
    return (
        f"| {result.target} | {result.engine} | {counted.cases} | {speed:.0f} | {counted.slowest_seconds:.2f} "
        f"| {len(counted.crashes)} | {len(counted.hangs)} | {result.growth_bytes / _MEBIBYTE:.0f} |"
    )


def _tell(result: Result, folder: Path) -> None:
    """Where the failing inputs are."""
    for kind, found in (("crash", result.counted.crashes), ("hang", result.counted.hangs)):
        for place, name in found.items():
            print(f"{kind} of {result.target}: {place}: {folder / result.target / name}")
    if result.ended_badly:
        print(f"{result.target} ({result.engine}): {result.ended_badly}")


if __name__ == "__main__":
    sys.exit(main())
