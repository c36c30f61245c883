"""Raw series on a grid of minutes: enough to evaluate an entry's rules exactly as Prometheus does, without its samples.

An entry looks at raw series in three ways: by instant look-ups, by `last_over_time` and by `max_over_time`, at offsets
and over windows of whole minutes. The last sample of each minute, the highest one, and the instant look-up at each
minute tell all of that; a server gives them for hundreds of series in a fraction of the time that the entries
themselves would take it (docs/backtest.md has the figures).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from sereno_slo.backtest.arrays import Array, Firing, InterpreterError, over, shifted
from sereno_slo.backtest.interpreter import minutes_of
from sereno_slo.backtest.vectors import Vector
from sereno_slo.duration import MINUTE, Duration
from sereno_slo.promql import Aggregation, Binary, Call, Expr, Number, Selector, String, Subquery

INSTANT = ""
"""The way of an instant look-up; other ways are `last` and `max`, of a minute's samples."""


@dataclass(frozen=True, slots=True)
class Grid:
    """One question about raw series, with an answer for every minute."""

    way: str
    series: Selector
    """Without range and offset."""

    def question(self, delay: Duration | None) -> Expr:
        """What to ask a server, `delay` in the past."""
        series = self.series.ago(delay)
        return Call(f"{self.way}_over_time", (series.over(MINUTE),)) if self.way else series


@dataclass(frozen=True, slots=True)
class Look:
    """How an expression looks at a grid: so many minutes back, over so many of them."""

    grid: Grid
    minutes_ago: int
    minutes: int


def looks(expr: Expr, delay: Duration | None) -> Iterator[Look]:
    """Every look at raw series in an expression."""
    match expr:
        case Call(function=function, arguments=(Selector(window=window) as series,)) if window is not None:
            if not series.metric.startswith("sereno:"):
                way = function.removesuffix("_over_time")
                yield Look(Grid(way, _plain(series)), _ago(series, delay), minutes_of(window))
        case Selector():
            if not expr.metric.startswith("sereno:"):
                yield Look(Grid(INSTANT, _plain(expr)), _ago(expr, delay), 1)
        case Number() | String():
            pass
        case Call(arguments=parts):
            for part in parts:
                yield from looks(part, delay)
        case Binary(left=left, right=right):
            yield from looks(left, delay)
            yield from looks(right, delay)
        case Aggregation(body=body) | Subquery(body=body):
            yield from looks(body, delay)


def _plain(series: Selector) -> Selector:
    return replace(series, window=None, offset=None)


def _ago(series: Selector, delay: Duration | None) -> int:
    if delay is None or series.offset is None:
        return minutes_of(series.offset)
    return minutes_of(series.offset - delay)


@dataclass(frozen=True, slots=True)
class Window:
    """Raw series over some minutes; the interpreter reads them as it reads a server."""

    begin_unix_seconds: int
    """The moment of the first minute's evaluation."""
    minutes: int
    grids: Mapping[Grid, Vector]
    delay: Duration | None
    _looked_over: dict[Look, Vector] = field(default_factory=dict)
    """Several parts of a rule look at the same samples over the same window."""

    def instant(self, selector: Selector) -> Vector:
        """The selector's instant look-up at every minute."""
        return self._looked(Grid(INSTANT, _plain(selector)), selector, 1)

    def over_time(self, name: str, selector: Selector) -> Vector:
        """`last_over_time` and `max_over_time` of a range selector, at every minute."""
        return self._looked(Grid(name, _plain(selector)), selector, minutes_of(selector.window))

    def unix_seconds(self) -> Array:
        """When each minute is evaluated."""
        return self.begin_unix_seconds + 60 * np.arange(self.minutes, dtype=np.float64)

    def _looked(self, grid: Grid, selector: Selector, count: int) -> Vector:
        if grid not in self.grids:
            raise InterpreterError(f"{grid.question(self.delay)} was not asked for")
        ago = _ago(selector, self.delay)
        if count == 1:
            return {labels: shifted(values, ago) for labels, values in self.grids[grid].items()}
        look = Look(grid, ago, count)
        if look not in self._looked_over:
            self._looked_over[look] = {
                labels: over(grid.way, shifted(values, ago), count) for labels, values in self.grids[grid].items()
            }
        return self._looked_over[look]

    def followed_by(self, later: "Window", keep: int) -> "Window":
        """The last `keep` minutes of this one and all of the later one, which begins where this one ends."""
        kept = min(keep, self.minutes)
        grids = {grid: _joined(self.grids[grid], kept, later.grids[grid], later.minutes) for grid in later.grids}
        begin = later.begin_unix_seconds - 60 * kept
        return Window(begin, kept + later.minutes, grids, self.delay)

    def last(self, minutes: int) -> "Window":
        """Its last minutes only."""
        skipped = max(0, self.minutes - minutes)
        grids = {grid: {labels: v[skipped:] for labels, v in vector.items()} for grid, vector in self.grids.items()}
        return Window(self.begin_unix_seconds + 60 * skipped, self.minutes - skipped, grids, self.delay)

    def with_grid(self, grid: Grid, vector: Vector) -> "Window":
        """The same with another answer to one question, an instant look-up."""
        return replace(self, grids={**self.grids, grid: vector})


def _joined(earlier: Vector, kept: int, later: Vector, count: int) -> Vector:
    joined: Vector = {}
    for labels in dict.fromkeys((*earlier, *later)):
        values = np.full(kept + count, np.nan)
        if labels in earlier:
            values[:kept] = earlier[labels][len(earlier[labels]) - kept :]
        if labels in later:
            values[kept:] = later[labels]
        if not np.isnan(values).all():
            joined[labels] = values
    return joined


def stretches(flags: Firing, forgive: int = 0) -> Iterator[tuple[int, int]]:
    """From where to where (excluded) flags are set; pauses of at most `forgive` places belong to them."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    pending: tuple[int, int] | None = None
    for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if pending is not None and begin - pending[1] <= forgive:
            pending = (pending[0], end)
            continue
        if pending is not None:
            yield pending
        pending = (begin, end)
    if pending is not None:
        yield pending


def any_present(vectors: Iterable[Array], minutes: int) -> Firing:
    """When any of the series is there."""
    there = np.zeros(minutes, dtype=np.bool_)
    for values in vectors:
        there |= ~np.isnan(values)
    return there
