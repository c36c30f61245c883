"""`python -m benchmarks.telemetry_logs`: CPU microseconds a record; ends with 1 where the promise is missed.

The peers are ecs-logging, structlog and python-json-logger; install them beside Sereno for this.
"""

import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace import TracerProvider

from benchmarks.telemetry_logs.peers import Peer, peers

ROUNDS = 60
RECORDS = 200
REACH = 0.25
"""The promise: a plain ECS record costs at most this part of ecs-logging's, in the same run."""

Context = Callable[[], contextlib.AbstractContextManager[Any]]


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of record."""

    name: str
    message: str = "order %s of %s for %d sold"
    arguments: tuple[Any, ...] = ("a17", "apples", 3)
    error: BaseException | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    context: Context = contextlib.nullcontext


def cases() -> tuple[Case, ...]:
    """Records that services write."""
    tracer = TracerProvider().get_tracer("benchmark")
    return (
        Case("plain"),
        Case("within a span", context=lambda: tracer.start_as_current_span("request")),
        Case("key=value in the message", message="order=%s user=%d took: %d ms", arguments=("a17", 7, 12)),
        Case("three extras", extra={"order": "a17", "amount": 3, "express": True}),
        Case("an exception", error=_raised()),
    )


def _raised() -> BaseException:
    try:
        int("many")
    except ValueError as error:
        return error
    raise AssertionError


def measured(peers_: Sequence[Peer], cases_: Sequence[Case]) -> dict[tuple[str, str], float]:
    """Median CPU microseconds of a record, by case and peer; peers take turns, so that noise hits all alike."""
    spent: dict[tuple[str, str], list[float]] = {(case.name, peer.name): [] for case in cases_ for peer in peers_}
    for turn in range(ROUNDS):
        for case in cases_:
            for peer in (*peers_[turn % len(peers_) :], *peers_[: turn % len(peers_)]):
                with case.context():
                    begun = time.thread_time()
                    for _ in range(RECORDS):
                        peer.log(case.message, case.arguments, case.error, case.extra)
                    spent[case.name, peer.name].append((time.thread_time() - begun) / RECORDS * 1e6)
    return {key: statistics.median(values) for key, values in spent.items()}


def main() -> int:
    """Measure, print the table, judge."""
    cases_ = cases()
    with tempfile.TemporaryDirectory() as folder:
        try:
            peers_ = peers(Path(folder))
        except ModuleNotFoundError as error:
            print(f"{error}: pip install ecs-logging structlog python-json-logger", file=sys.stderr)
            return 2
        figures = measured(peers_, cases_)
    print(f"CPU µs a record into a file, median of {ROUNDS} interleaved rounds of {RECORDS}; masking is on in sereno\n")
    print("| | " + " | ".join(case.name for case in cases_) + " |")
    print("|---|" + "---|" * len(cases_))
    for peer in peers_:
        print(f"| {peer.name} | " + " | ".join(f"{figures[case.name, peer.name]:.1f}" for case in cases_) + " |")
    for way in ("stdlib", "structlog"):
        ratios = [figures[case.name, f"sereno, {way}"] / figures[case.name, f"ecs-logging, {way}"] for case in cases_]
        print(f"| sereno / ecs-logging, {way} | " + " | ".join(f"{ratio:.2f}" for ratio in ratios) + " |")
    plain = figures["plain", "sereno, stdlib"] / figures["plain", "ecs-logging, stdlib"]
    verdict = "kept" if plain <= REACH else "missed"
    print(f"\nPlain record at most {REACH:g} of ecs-logging: {plain:.3f}, {verdict}")
    return 0 if plain <= REACH else 1


if __name__ == "__main__":
    sys.exit(main())
