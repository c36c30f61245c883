"""`python -m benchmarks.log_throughput [speed|delay|memory|outage|profile …] [--quick]`: 1 where a promise is missed.

Without names: speed, delay, memory and outage, about 6 minutes; with --quick about 2.
"""

import argparse
import sys
from collections.abc import Callable

from benchmarks.durability.server import Server, ServerError, running_server
from benchmarks.log_throughput.profile import profile
from benchmarks.log_throughput.running import delay, memory, outage
from benchmarks.log_throughput.speed import compare

UNREACHABLE = 3
DEFAULT = ("speed", "delay", "memory", "outage")


def measurements(*, quick: bool) -> dict[str, Callable[[Server], bool]]:
    """By name; each prints its table and tells whether its promise is kept."""
    return {
        "speed": lambda server: compare(server, lines=10_000 if quick else 50_000, rounds=3 if quick else 5),
        "delay": lambda server: delay(server, seconds=10 if quick else 60),
        "memory": lambda server: memory(server, seconds=15 if quick else 60),
        "outage": lambda server: outage(server, seconds=10 if quick else 60),
        "profile": lambda server: profile(server, lines=10_000 if quick else 50_000),
    }


def main() -> int:
    """Measure what is asked for, on one server."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.log_throughput", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="speed, delay, memory, outage, profile")
    parser.add_argument("--quick", action="store_true", help="shorter, and less certain")
    arguments = parser.parse_args()
    known = measurements(quick=arguments.quick)
    if unknown := [name for name in arguments.names if name not in known]:
        parser.error(f"there is no {unknown[0]}: choose of {', '.join(known)}")
    try:
        with running_server() as server:
            kept = [known[name](server) for name in arguments.names or DEFAULT]
    except ServerError as error:
        print(error, file=sys.stderr)
        return UNREACHABLE
    return int(not all(kept))


if __name__ == "__main__":
    sys.exit(main())
