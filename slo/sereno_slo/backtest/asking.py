"""Questions about long stretches, two at a time, each asked once more when it fails."""

import gc
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

import numpy as np
from sereno_backends.prometheus import Columns, PrometheusError

from sereno_slo.backtest.vectors import Vector
from sereno_slo.history import Reader
from sereno_slo.promql import Expr

MINUTE_MS = 60_000
Answer: TypeAlias = "Future[Vector]"
"""What a question will have brought; its result may raise `HistoryNotRead`."""
_AT_ONCE = 2
"""While one answer is read, the server makes the next. More of them would only compete with the server's other work."""
_MOST_STEPS = 10_000
"""Prometheus refuses more than 11,000."""


class HistoryNotRead(Exception):  # noqa: N818 - reads as what happened
    """A stretch of the past couldn't be read; the message names it and says why."""


@dataclass(frozen=True, slots=True)
class Minutes:
    """`count` minutes on a grid, the first of them evaluated at `first_ms`."""

    first_ms: int
    count: int

    @property
    def last_ms(self) -> int:
        """The moment of the last one."""
        return self.first_ms + (self.count - 1) * MINUTE_MS

    def part(self, begin: int, end: int) -> "Minutes":
        """Those from one place to another one, which is left out."""
        return Minutes(self.first_ms + begin * MINUTE_MS, end - begin)

    def cut(self, at_most: int) -> Iterator["Minutes"]:
        """The same minutes in parts of at most so many."""
        for begin in range(0, self.count, at_most):
            yield self.part(begin, min(begin + at_most, self.count))


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks one server in the background."""

    reader: Reader
    pool: ThreadPoolExecutor

    def ask(self, expr: Expr, minutes: Minutes) -> Answer:
        """The expression at these minutes."""
        return self.pool.submit(self._answer, expr, minutes)

    def wait(self, question: Answer) -> Vector:
        """The answer, counted for those who show progress."""
        answer = question.result()
        self.reader.asked()
        return answer

    def whole(self, expr: Expr, minutes: Minutes) -> Vector:
        """The expression at so many minutes that it takes several questions."""
        pieces = list(minutes.cut(_MOST_STEPS))
        answers = [self.wait(question) for question in [self.ask(expr, piece) for piece in pieces]]
        return _in_a_row(answers, pieces)

    def tidy(self) -> None:
        """Give back what answers left in circles (the HTTP client's own, which hold an answer's text)."""
        gc.collect(0)

    def _answer(self, expr: Expr, minutes: Minutes) -> Vector:
        try:
            columns = self.reader.columns(expr, minutes.first_ms, minutes.last_ms)
        except PrometheusError:
            try:
                columns = self.reader.columns(expr, minutes.first_ms, minutes.last_ms)
            except PrometheusError as error:
                stretch = f"{written(minutes.first_ms)} to {written(minutes.last_ms)}"
                raise HistoryNotRead(f"the past from {stretch} was not read, in two tries: {error}") from error
        return _vector(columns, minutes)


@contextmanager
def asking(reader: Reader) -> Iterator[Asker]:
    """An asker; what is still waiting when the block is left isn't asked any more."""
    pool = ThreadPoolExecutor(_AT_ONCE)
    # An answer is a million small lists. Looking for circles among them again and again took two thirds of the time of
    # reading it; `tidy` does it once for each piece.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield Asker(reader, pool)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        if was_enabled:
            gc.enable()


def _vector(columns: Sequence[Columns], minutes: Minutes) -> Vector:
    vector: Vector = {}
    for series in columns:
        labels = tuple(sorted((name, value) for name, value in series.labels.items() if name != "__name__"))
        places = np.rint((np.array(series.unix_seconds) * 1000 - minutes.first_ms) / MINUTE_MS).astype(int)
        values = np.full(minutes.count, np.nan)
        values[places] = series.values
        vector[labels] = values
    return vector


def _in_a_row(answers: Sequence[Vector], pieces: Sequence[Minutes]) -> Vector:
    return {
        labels: np.concatenate(
            [answer.get(labels, np.full(piece.count, np.nan)) for answer, piece in zip(answers, pieces, strict=True)]
        )
        for labels in dict.fromkeys(labels for answer in answers for labels in answer)
    }


def written(moment_ms: int) -> str:
    """A moment as people read it: `2026-11-20 10:00 UTC`."""
    return f"{datetime.fromtimestamp(moment_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
