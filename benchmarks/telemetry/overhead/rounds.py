"""All instruments in turn, round by round: what else the machine does meanwhile disturbs each of them alike."""

import contextlib
import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.telemetry.environment import Environment
from benchmarks.telemetry.instruments import BARE, FLOOR, INSTRUMENTS, SERENO
from benchmarks.telemetry.workers import Worker

_WARM_UP_REQUESTS = 500
_SHARE_OF_SPREAD = 10
"""The spread is told without the lowest and the highest tenth."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What the requests are like, and what is made of them."""

    name: str
    sampled_ratio: float | None
    parents: str
    most_ratio: float
    """How much of the best peer's cost Sereno may need."""
    with_traces: bool


KINDS = (
    Kind("metrics with exemplars", None, "sampled", 1 / 4, with_traces=False),
    Kind("metrics, 1 % traced", 0.01, "none", 1 / 5, with_traces=True),
    Kind("metrics, 1 % of callers sampled", 0.01, "1 %", 1 / 5, with_traces=True),
    Kind("metrics, all traced", 1.0, "none", 1, with_traces=True),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What requests cost with one instrument more than without, in microseconds of CPU time."""

    kind: Kind
    routes: int
    instrument: str
    added_microseconds: tuple[float, ...]
    """One figure for each round: against the bare app of the same round."""
    has_exemplars: bool

    @property
    def median(self) -> float:
        """Of a usual round."""
        return statistics.median(self.added_microseconds)

    @property
    def spread(self) -> tuple[float, float]:
        """Nine of ten rounds were above the first, and below the second."""
        figures = sorted(self.added_microseconds)
        cut = len(figures) // _SHARE_OF_SPREAD
        return figures[cut], figures[-1 - cut]


def measure(
    environment: Environment,
    kind: Kind,
    routes: int,
    *,
    generations: int,
    rounds: int,
    requests: int,
    progress: Callable[[str], None],
) -> list[Cost]:
    """Added cost of each instrument that is there.

    Each generation is one set of fresh processes, because where Python happens to put things makes one process faster
    than the next by microseconds; in each round, every one of them gets so many requests, in random order.
    """
    names = [name for name in environment.instruments if INSTRUMENTS[name].traces or not kind.with_traces]
    added: dict[str, list[float]] = {name: [] for name in names}
    has_exemplars = dict.fromkeys(names, False)
    for generation in range(generations):
        progress(f"{kind.name}, {routes} routes: processes {generation + 1} of {generations}")
        with contextlib.ExitStack() as stack:
            workers = {
                name: stack.enter_context(
                    Worker(
                        environment,
                        "overhead",
                        instrument=name,
                        routes=routes,
                        sampled_ratio=kind.sampled_ratio,
                        parents=kind.parents,
                    )
                )
                for name in names
            }
            for worker in workers.values():
                worker.ask(requests=_WARM_UP_REQUESTS + 2 * routes, settle=True)
            for _ in range(rounds):
                round_ = _round(workers, requests)
                for name in names:
                    added[name].append(1e6 * (round_[name] - round_[BARE]) / requests)
            for name, worker in workers.items():
                has_exemplars[name] |= worker.ask(requests=1, look=True)["has_exemplars"]
    return [Cost(kind, routes, name, tuple(added[name]), has_exemplars[name]) for name in names if name != BARE]


def _round(workers: Mapping[str, Worker], requests: int) -> dict[str, float]:
    """CPU seconds of each; the bare app runs before and after all others, and its mean counts."""
    names = [name for name in workers if name != BARE]
    random.shuffle(names)
    seconds = {name: _cpu_seconds(workers[name], requests) for name in [BARE, *names]}
    seconds[BARE] = (seconds[BARE] + _cpu_seconds(workers[BARE], requests)) / 2
    return seconds


def _cpu_seconds(worker: Worker, requests: int) -> float:
    seconds: float = worker.ask(requests=requests)["cpu_seconds"]
    return seconds


@dataclass(frozen=True, slots=True)
class Verdict:
    """Sereno against the best peer, in one kind and number of routes."""

    kind: Kind
    routes: int
    best_peer: str
    ratio: float
    """Sereno's cost to the peer's: the median over rounds."""

    @property
    def is_reached(self) -> bool:
        """Whether that is little enough."""
        return self.ratio <= self.kind.most_ratio


def verdict(costs: Sequence[Cost]) -> Verdict | None:
    """Of the costs of one kind and number of routes; None without Sereno or without a peer."""
    sereno = next((cost for cost in costs if cost.instrument == SERENO), None)
    peers = [cost for cost in costs if cost.instrument not in {SERENO, FLOOR, BARE}]
    if sereno is None or not peers:
        return None
    best = min(peers, key=lambda cost: cost.median)
    ratios = [
        ours / theirs
        for ours, theirs in zip(sereno.added_microseconds, best.added_microseconds, strict=True)
        if theirs > 0
    ]
    return Verdict(sereno.kind, sereno.routes, best.instrument, statistics.median(ratios)) if ratios else None


def as_json(costs: Sequence[Cost]) -> list[dict[str, Any]]:
    """Everything measured, as plain data."""
    return [
        {
            "kind": cost.kind.name,
            "routes": cost.routes,
            "instrument": cost.instrument,
            "added_microseconds": cost.added_microseconds,
            "has_exemplars": cost.has_exemplars,
        }
        for cost in costs
    ]
