"""`python -m benchmarks.telemetry.worker TASK ARGUMENTS`: the child's side of `workers`; nobody calls it by hand.

Each line of standard input is a question in JSON, each line of standard output its answer.
"""

import logging
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

import orjson

Answering = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def _task(name: str, arguments: Mapping[str, Any]) -> Answering:
    # Each task loads only what it measures: what is loaded is memory, too.
    match name:
        case "overhead":
            from benchmarks.telemetry.overhead.child import Overhead  # noqa: PLC0415

            return Overhead(**arguments)
        case "correctness":
            from benchmarks.telemetry.correctness.child import Correctness  # noqa: PLC0415

            return Correctness(**arguments)
        case "faults":
            from benchmarks.telemetry.faults.child import FaultInjection  # noqa: PLC0415

            return FaultInjection(**arguments)
        case "memory":
            from benchmarks.telemetry.memory.child import Hostile  # noqa: PLC0415

            return Hostile(**arguments)
        case "scrape":
            from benchmarks.telemetry.scrape.child import Scraped  # noqa: PLC0415

            return Scraped(**arguments)
        case _:
            raise ValueError(f"no task is called {name}")


def main() -> None:
    """Answer until standard input ends."""
    # What instruments or the logging of apps print must not stand between the answers.
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    logging.disable()  # what they log of faults, and of exceptions of the app, would hide the progress
    answer = _task(sys.argv[1], orjson.loads(sys.argv[2]))
    for line in sys.stdin.buffer:
        answers.write(orjson.dumps(answer(orjson.loads(line))) + b"\n")


if __name__ == "__main__":
    main()
