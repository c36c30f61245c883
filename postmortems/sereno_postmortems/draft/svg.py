"""Small charts as SVG: time to the right, one unit upwards; readable in any browser, on GitHub, and in print.

Pure: the same figures give the same bytes. Texts are escaped and nothing in a file can run: no script, no link, no
style from elsewhere.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 280
LEFT, RIGHT, TOP, BOTTOM = 68, 16, 64, 34
_SIZE = f"width='{WIDTH}' height='{HEIGHT}' viewBox='0 0 {WIDTH} {HEIGHT}'"
FONT = "font-family='sans-serif'"
INK, FAINT, SHADE = "#24292f", "#d0d7de", "#fff1e5"
GOOD, BAD, LIMIT, SECOND = "#54aeff", "#cf222e", "#9a6700", "#8250df"
"""Told apart by people who don't see red and green, and in black and white by their lightness."""
MOST_TICKS = 6


@dataclass(frozen=True, slots=True)
class Line:
    """A curve; points further apart than `gap` aren't joined, because nothing is known between them."""

    name: str
    colour: str
    points: tuple[tuple[datetime, float], ...]
    gap: timedelta


@dataclass(frozen=True, slots=True)
class Bars:
    """Stacked bars, each as wide as the time that it counts, which ends at its stamp."""

    names: tuple[str, ...]
    """From the bottom up."""
    colours: tuple[str, ...]
    bars: tuple[tuple[datetime, tuple[float, ...]], ...]
    width: timedelta


@dataclass(frozen=True, slots=True)
class Limit:
    """A horizontal line that shouldn't be crossed."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Picture:
    """One chart."""

    title: str
    start: datetime
    end: datetime
    shaded: tuple[datetime, datetime]
    """The time of the incident."""
    unit: Callable[[float], str]
    """How a value on the axis is written."""
    series: tuple[Line | Bars, ...]
    limit: Limit | None = None


def draw(picture: Picture) -> str:
    """The chart as a whole SVG document that ends with a line feed."""
    top = _nice(max((_highest(picture), *([picture.limit.value] if picture.limit else [])), default=0.0))
    frame = _Frame(picture.start, picture.end, top)
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' {_SIZE} role='img' {FONT} font-size='12'>",
        f"<title>{_text(picture.title)}</title>",
        f"<rect width='{WIDTH}' height='{HEIGHT}' fill='#ffffff'/>",
        f"<text x='{LEFT}' y='20' font-size='14' font-weight='bold' fill='{INK}'>{_text(picture.title)}</text>",
        *_shade(frame, picture),
        *_axes(frame, picture),
        *(element for one in picture.series for element in _drawn(frame, one)),
        *_limit(frame, picture),
        *_legend(picture),
        "</svg>",
    ]
    return "\n".join([*parts, ""])


@dataclass(frozen=True, slots=True)
class _Frame:
    start: datetime
    end: datetime
    top: float

    def x(self, at: datetime) -> float:
        part = (at - self.start) / (self.end - self.start)
        return LEFT + min(max(part, 0.0), 1.0) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - min(max(value / self.top, 0.0), 1.0) * (HEIGHT - TOP - BOTTOM)


def _highest(picture: Picture) -> float:
    values = [0.0]
    for one in picture.series:
        match one:
            case Line():
                values += [value for _, value in one.points]
            case Bars():
                values += [math.fsum(parts) for _, parts in one.bars]
    return max(values)


def _nice(value: float) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten; 1 for nothing."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value * (1 - 1e-9))


def _shade(frame: _Frame, picture: Picture) -> Iterator[str]:
    left, right = (frame.x(at) for at in picture.shaded)
    height = HEIGHT - TOP - BOTTOM
    yield f"<rect x='{left:.1f}' y='{TOP}' width='{max(right - left, 1):.1f}' height='{height}' fill='{SHADE}'/>"
    yield f"<text x='{left + 4:.1f}' y='{TOP - 4}' fill='{LIMIT}'>alerting</text>"


def _axes(frame: _Frame, picture: Picture) -> Iterator[str]:
    for number in range(6):
        value = frame.top * number / 5
        y = frame.y(value)
        yield f"<line x1='{LEFT}' y1='{y:.1f}' x2='{WIDTH - RIGHT}' y2='{y:.1f}' stroke='{FAINT}'/>"
        yield (
            f"<text x='{LEFT - 6}' y='{y + 4:.1f}' text-anchor='end' fill='{INK}'>{_text(picture.unit(value))}</text>"
        )
    for at in _ticks(picture.start, picture.end):
        x = frame.x(at)
        yield f"<line x1='{x:.1f}' y1='{HEIGHT - BOTTOM}' x2='{x:.1f}' y2='{HEIGHT - BOTTOM + 5}' stroke='{INK}'/>"
        words = f"{at:%H:%M}" if picture.end - picture.start < timedelta(days=2) else f"{at:%m-%d %H:%M}"
        yield f"<text x='{x:.1f}' y='{HEIGHT - BOTTOM + 18}' text-anchor='middle' fill='{INK}'>{words}</text>"
    yield f"<text x='{WIDTH - RIGHT}' y='{HEIGHT - 3}' text-anchor='end' fill='{INK}' font-size='10'>UTC</text>"


def _ticks(start: datetime, end: datetime) -> list[datetime]:
    """Round times: at most so many that their words don't touch."""
    minutes = (end - start) / timedelta(minutes=1)
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)
    step = next((step for step in steps if minutes / step <= MOST_TICKS), math.ceil(minutes / MOST_TICKS / 1440) * 1440)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    length = timedelta(minutes=step)
    first = epoch + -((epoch - start) // length) * length
    return [first + number * length for number in range(MOST_TICKS + 2) if first + number * length <= end]


def _drawn(frame: _Frame, one: Line | Bars) -> Iterator[str]:
    match one:
        case Line():
            yield from _line(frame, one)
        case Bars():
            yield from _bars(frame, one)


def _line(frame: _Frame, line: Line) -> Iterator[str]:
    for run in _runs(line.points, line.gap):
        if len(run) == 1:
            (at, value) = run[0]
            yield f"<circle cx='{frame.x(at):.1f}' cy='{frame.y(value):.1f}' r='2' fill='{line.colour}'/>"
            continue
        points = " ".join(f"{frame.x(at):.1f},{frame.y(value):.1f}" for at, value in run)
        yield f"<polyline points='{points}' fill='none' stroke='{line.colour}' stroke-width='2'/>"


def _runs(points: Sequence[tuple[datetime, float]], gap: timedelta) -> Iterator[list[tuple[datetime, float]]]:
    run: list[tuple[datetime, float]] = []
    for at, value in points:
        if run and at - run[-1][0] > gap:
            yield run
            run = []
        run.append((at, value))
    if run:
        yield run


def _bars(frame: _Frame, bars: Bars) -> Iterator[str]:
    for at, values in bars.bars:
        left, right = frame.x(at - bars.width), frame.x(at)
        below = 0.0
        for value, colour in zip(values, bars.colours, strict=True):
            if value <= 0:
                continue
            low, high = frame.y(below), frame.y(below + value)
            below += value
            width, height = max(right - left - 0.4, 0.6), max(low - high, 0.5)
            box = f"x='{left:.1f}' y='{low - height:.1f}' width='{width:.1f}' height='{height:.1f}'"
            yield f"<rect {box} fill='{colour}'/>"


def _limit(frame: _Frame, picture: Picture) -> Iterator[str]:
    if picture.limit is not None:
        y = frame.y(picture.limit.value)
        yield (
            f"<line x1='{LEFT}' y1='{y:.1f}' x2='{WIDTH - RIGHT}' y2='{y:.1f}' stroke='{LIMIT}' stroke-width='2'"
            " stroke-dasharray='6 4'/>"
        )


def _legend(picture: Picture) -> Iterator[str]:
    entries: list[tuple[str, str]] = []
    for one in picture.series:
        match one:
            case Line():
                entries.append((one.name, one.colour))
            case Bars():
                entries += zip(one.names, one.colours, strict=True)
    if picture.limit is not None:
        entries.append((picture.limit.name, LIMIT))
    x = LEFT
    for name, colour in entries:
        yield f"<rect x='{x}' y='33' width='10' height='10' fill='{colour}'/>"
        yield f"<text x='{x + 15}' y='42' fill='{INK}'>{_text(name)}</text>"
        x += 15 + 7 * min(len(name), 60) + 18


def _text(value: str) -> str:
    """Text that XML may hold, and no more of it than fits."""
    shown = "".join(sign if sign.isprintable() else f"(U+{ord(sign):04X})" for sign in value)
    return escape(shown if len(shown) <= 100 else f"{shown[:99]}…", {"'": "&#39;", '"': "&#34;"})  # noqa: PLR2004 - a line
