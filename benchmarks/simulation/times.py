"""Simulated time: integers, milliseconds since 1970 or lengths in milliseconds."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """Milliseconds from `start` up to, but not including, `end`."""

    start: int
    end: int

    def holds(self, times_ms: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of the times lie in it."""
        held: NDArray[np.bool_] = (times_ms >= self.start) & (times_ms < self.end)
        return held


@dataclass(frozen=True, slots=True)
class Run:
    """Evaluations without a break: the first and the last one, both in milliseconds, and the step between them."""

    first: int
    last: int
    step: int

    def __len__(self) -> int:
        """How many evaluations."""
        return (self.last - self.first) // self.step + 1

    def times_ms(self) -> NDArray[np.int64]:
        """All of them."""
        return self.first + self.step * np.arange(len(self), dtype=np.int64)

    def index_of(self, times_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which evaluation happened at each of the times."""
        return (times_ms - self.first) // self.step

    def cut(self, at_most: int) -> Iterator["Run"]:
        """The same evaluations in parts of at most so many."""
        for begin in range(0, len(self), at_most):
            end = min(begin + at_most, len(self)) - 1
            yield Run(self.first + begin * self.step, self.first + end * self.step, self.step)

    def every(self, stride: int) -> "Run":
        """Only each `stride`-th evaluation, the last one among them."""
        strides = (len(self) - 1) // stride
        return Run(self.last - strides * stride * self.step, self.last, stride * self.step)


def aligned(step: int, phase: int, during: Interval) -> Run | None:
    """The times of `during` that are `phase` past a multiple of `step` since 1970; None if there is none."""
    first = during.start + (phase - during.start) % step
    last = during.end - 1 - (during.end - 1 - phase) % step
    return Run(first, last, step) if first <= last else None


def without(whole: Interval, holes: Iterable[Interval]) -> Sequence[Interval]:
    """What remains of `whole`, in order of time."""
    remaining = []
    start = whole.start
    for hole in sorted(holes):
        if hole.end <= start or hole.start >= whole.end:
            continue
        if hole.start > start:
            remaining.append(Interval(start, hole.start))
        start = max(start, hole.end)
    if start < whole.end:
        remaining.append(Interval(start, whole.end))
    return remaining
