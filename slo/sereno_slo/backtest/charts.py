"""Pictures of a backtest as plain shapes, which the page's template writes as SVG: no script, no network."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sereno_slo.backtest.asking import written
from sereno_slo.backtest.replaying import Backtest

WIDTH, HEIGHT = 720, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 8, 10, 24
_DAY_MS = 86_400_000
_MOST_DAYS_LABELLED = 8
_LEAST_BAND = 1.5  # so that a page of two minutes is seen in a month
_LOWEST_OF_BUDGET = 0.1  # error ratios below a tenth of the budget are drawn there


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across the chart with its label."""

    at: float
    label: str
    is_strong: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of time."""

    x: float
    width: float
    css_class: str
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One picture and its words."""

    title: str
    text: str
    """What it shows, for those who don't see it."""
    path: str
    area: str
    rows: tuple[Tick, ...]
    columns: tuple[Tick, ...]
    bands: tuple[Band, ...]
    css_class: str


def charts(one: Backtest) -> tuple[Chart, ...]:
    """Budget with everything that was told, error ratio, traffic."""
    return (_budget(one), _error_ratio(one), _traffic(one))


def _budget(one: Backtest) -> Chart:
    values = [point.budget_remaining_ratio for point in one.curve.points]
    known = [value for value in values if value is not None]
    lowest, highest = min([0.0, *known]), max([1.0, *known])
    scale = _linear(lowest, highest)
    steps = _round_steps(lowest, highest)
    rows = tuple(Tick(scale(step), f"{step:.0%}", is_strong=step == 0) for step in steps)
    said = f"At the end {_percent(one.outcome.budget_remaining_ratio)}, at least " + _percent(
        one.outcome.lowest_budget_remaining_ratio
    )
    return _chart(one, "Budget left", said, values=values, scale=scale, floor=scale(0), rows=rows, css_class="budget")


def _error_ratio(one: Backtest) -> Chart:
    budget = one.slo.error_budget_ratio
    least = budget * _LOWEST_OF_BUDGET
    values = [
        None if not point.events else max(least, (point.bad_events or 0) / point.events) for point in one.curve.points
    ]
    log = _linear(math.log10(least), 0.0)

    def scale(ratio: float) -> float:
        return log(math.log10(min(1.0, ratio)))

    powers = range(math.ceil(math.log10(least)), 1)
    rows = tuple(Tick(scale(10.0**power), f"{10.0**power * 100:g} %") for power in powers)
    own = Tick(scale(budget), "", is_strong=True)
    worst = max((value for value in values if value is not None), default=None)
    said = f"Logarithmic; the strong line is what the objective allows. At worst {_percent(worst)}"
    lines = (*rows, own)
    return _chart(
        one, "Bad events", said, values=values, scale=scale, floor=scale(least), rows=lines, css_class="errors"
    )


def _traffic(one: Backtest) -> Chart:
    values = [None if point.events is None else point.events / one.curve.minutes for point in one.curve.points]
    highest = max((value for value in values if value is not None), default=0.0) or 1.0
    scale = _linear(0.0, highest)
    rows = tuple(Tick(scale(step), f"{step:,.6g}") for step in (0.0, *_nice(highest)))
    said = f"At most {highest:,.0f} a minute"
    return _chart(
        one, "Events a minute", said, values=values, scale=scale, floor=scale(0), rows=rows, css_class="traffic"
    )


def _chart(
    one: Backtest,
    title: str,
    said: str,
    *,
    values: Sequence[float | None],
    scale: Callable[[float], float],
    floor: float,
    rows: tuple[Tick, ...],
    css_class: str,
) -> Chart:
    across = _across(one)
    half = one.curve.minutes * 30_000
    xs = [across(point.begin_ms + half) for point in one.curve.points]
    runs = list(_runs(xs, [None if value is None else scale(value) for value in values]))
    text = f"{title} of {one.slo.service}/{one.slo.name}, {written(one.begin_ms)} to {written(one.end_ms)}. {said}."
    return Chart(
        title,
        text,
        " ".join("M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in run) for run in runs),
        " ".join(_closed(run, floor) for run in runs),
        rows,
        tuple(_days(one, across)),
        tuple(_bands(one, across)),
        css_class,
    )


def _runs(xs: Sequence[float], ys: Sequence[float | None]) -> Iterator[list[tuple[float, float]]]:
    """What is known without a pause: a hole isn't bridged."""
    run: list[tuple[float, float]] = []
    for x, y in zip(xs, ys, strict=True):
        if y is not None:
            run.append((x, y))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _closed(run: Sequence[tuple[float, float]], floor: float) -> str:
    line = " L".join(f"{x:.1f} {y:.1f}" for x, y in run)
    return f"M{run[0][0]:.1f} {floor:.1f} L{line} L{run[-1][0]:.1f} {floor:.1f} Z"


def _bands(one: Backtest, across: Callable[[int], float]) -> Iterator[Band]:
    def band(begin_ms: int, end_ms: int, css_class: str, title: str) -> Band:
        begin, end = across(max(begin_ms, one.begin_ms)), across(min(end_ms, one.end_ms))
        words = f"{title}, {written(begin_ms)} to {written(end_ms)}"
        return Band(begin, max(end - begin, _LEAST_BAND), css_class, words)

    for hole in one.holes:
        yield band(one.entries.at_ms(hole.begin), one.entries.at_ms(hole.end), "hole", f"not seen: {hole.cause}")
    for incident in one.incidents:
        yield band(incident.begin_ms, incident.end_ms, "incident", f"incident {incident.note}".strip())
    for notice in sorted(one.outcome.notices, key=lambda notice: notice.kind, reverse=True):  # pages on top
        yield band(notice.begin_ms, notice.end_ms, str(notice.kind), str(notice.kind))


def _days(one: Backtest, across: Callable[[int], float]) -> Iterator[Tick]:
    """Midnights, at most eight of them."""
    first = -(-one.begin_ms // _DAY_MS)
    count = max(1, one.end_ms // _DAY_MS - first + 1)
    step = -(-count // _MOST_DAYS_LABELLED)
    for day in range(first, first + count, step):
        moment = datetime.fromtimestamp(day * _DAY_MS / 1000, UTC)
        yield Tick(across(day * _DAY_MS), f"{moment:%b} {moment.day}")


def _across(one: Backtest) -> Callable[[int], float]:
    span = max(1, one.end_ms - one.begin_ms)
    return lambda moment_ms: _LEFT + (moment_ms - one.begin_ms) / span * (WIDTH - _LEFT - _RIGHT)


def _linear(lowest: float, highest: float) -> Callable[[float], float]:
    span = (highest - lowest) or 1.0
    return lambda value: _TOP + (highest - value) / span * (HEIGHT - _TOP - _BOTTOM)


def _nice(highest: float) -> Iterable[float]:
    """Two or three round numbers up to the highest."""
    unit = 10 ** math.floor(math.log10(highest))
    step = next(factor * unit for factor in (0.2, 0.5, 1, 2, 5) if highest / (factor * unit) <= 4)  # noqa: PLR2004
    return [step * count for count in range(1, int(highest / step) + 1)]


def _round_steps(lowest: float, highest: float) -> list[float]:
    span = highest - lowest
    step = next(
        (step for step in (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 50.0, 100.0, 1000.0) if span / step <= 6),  # noqa: PLR2004
        10.0 ** math.ceil(math.log10(span)),
    )
    return [step * count for count in range(math.ceil(lowest / step), math.floor(highest / step) + 1)]


def _percent(ratio: float | None) -> str:
    return "unknown" if ratio is None else f"{ratio:.3%}" if abs(ratio) < 0.01 else f"{ratio:.1%}"  # noqa: PLR2004
