"""The report's charts as SVG files: plain shapes, no script, nothing from the network, every text escaped."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from xml.sax.saxutils import escape

from sereno_postmortems.reports.summary import Summary

WIDTH, HEIGHT = 720, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 48, 32
_COLOURS = ("#b2182b", "#f4a582", "#2166ac")
"""Told apart by colour-blind people, too, and in grey."""
_MOST_LABELS = 16


@dataclass(frozen=True, slots=True)
class Bars:
    """One row of values, a bar each; None is no bar: nothing was measured."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """One file and its words."""

    name: str
    title: str
    text: str
    """What it shows, for those who don't see it."""
    svg: str


def charts_of(summary: Summary) -> tuple[Chart, ...]:
    """Incidents by week, medians by week, pages by night; those that have nothing to show are left out."""
    if not summary.incidents:
        return ()
    mondays = [f"{week.monday:%d %b}" for week in summary.weeks]
    pages = Bars("pages", tuple(float(week.pages) for week in summary.weeks))
    tickets = Bars("tickets", tuple(float(week.tickets) for week in summary.weeks))
    acknowledge = Bars("to acknowledge", tuple(_minutes(week.acknowledge.median) for week in summary.weeks))
    resolve = Bars("to resolve", tuple(_minutes(week.resolve.median) for week in summary.weeks))
    nights = _nights(summary)
    found = [
        _chart("incidents-by-week", "Incidents by week (of Monday)", mondays, [pages, tickets], is_stacked=True),
        _chart("medians-by-week", "Median minutes by week (of Monday)", mondays, [acknowledge, resolve]),
    ]
    if nights:
        pages_by_night = Bars("pages", tuple(float(number) for _, number in nights))
        labels = [f"{night:%d %b}" for night, _ in nights]
        found.append(
            _chart("pages-by-night", "Pages by night (of the evening)", labels, [pages_by_night], is_stacked=True)
        )
    return tuple(found)


def _nights(summary: Summary) -> list[tuple[date, int]]:
    """All nights from the first with a page to the last, quiet ones, too."""
    told = [one.night for one in summary.pages if one.night is not None]
    if not told:
        return []
    first = min(told)
    days = (max(told) - first).days
    return [(night, told.count(night)) for night in (first + timedelta(days=day) for day in range(days + 1))]


def _minutes(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds() / 60


def _chart(name: str, title: str, labels: Sequence[str], rows: Sequence[Bars], *, is_stacked: bool = False) -> Chart:
    text = "; ".join(
        f"{label}: {', '.join(f'{row.name} {_number(value)}' for row, value in _at(rows, place))}"
        for place, label in enumerate(labels)
    )
    return Chart(name, title, text, "\n".join(_lines(title, text, labels, rows, is_stacked=is_stacked)) + "\n")


def _at(rows: Sequence[Bars], place: int) -> list[tuple[Bars, float | None]]:
    return [(row, row.values[place]) for row in rows]


def _lines(title: str, text: str, labels: Sequence[str], rows: Sequence[Bars], *, is_stacked: bool) -> Iterator[str]:
    places = range(len(labels))
    tops = [(sum if is_stacked else max)([value or 0.0 for _, value in _at(rows, place)]) for place in places]
    step = _step(max(tops, default=0.0))
    steps = max(1, math.ceil(max(tops, default=0.0) / step))
    scale = (HEIGHT - _TOP - _BOTTOM) / (steps * step)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        ' role="img" font-family="sans-serif" font-size="12" fill="#333">'
    )
    yield f"<title>{escape(title)}</title><desc>{escape(text)}</desc>"
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    yield f'<text x="{_LEFT}" y="18" font-size="14" font-weight="bold">{escape(title)}</text>'
    for place, row in enumerate(rows):
        x = _LEFT + place * 140.0
        yield f'<rect x="{x}" y="27" width="10" height="10" fill="{_COLOURS[_colour(place, rows)]}"/>'
        yield f'<text x="{x + 15}" y="36">{escape(row.name)}</text>'
    for number in range(steps + 1):
        y = HEIGHT - _BOTTOM - number * step * scale
        yield f'<path d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}" stroke="#ddd"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_number(number * step)}</text>'
    slot = (WIDTH - _LEFT - _RIGHT) / max(1, len(labels))
    every = math.ceil(len(labels) / _MOST_LABELS)
    for place, label in enumerate(labels):
        x = _LEFT + place * slot
        yield from _bars(_at(rows, place), x, slot, scale, label, is_stacked=is_stacked)
        if place % every == 0:
            yield f'<text x="{x + slot / 2:.1f}" y="{HEIGHT - 12}" text-anchor="middle">{escape(label)}</text>'
    yield "</svg>"


def _bars(
    values: Sequence[tuple[Bars, float | None]], x: float, slot: float, scale: float, label: str, *, is_stacked: bool
) -> Iterator[str]:
    rows = [row for row, _ in values]
    wide = min(48.0, slot * 0.7) / (1 if is_stacked else len(values))
    begin = x + slot / 2 - wide * (1 if is_stacked else len(values)) / 2
    below = 0.0
    for place, (row, value) in enumerate(values):
        if value is None or (is_stacked and value == 0):
            continue
        left = begin if is_stacked else begin + place * wide
        high = max(1.0, value * scale)
        top = HEIGHT - _BOTTOM - below - high
        told = escape(f"{label}: {row.name} {_number(value)}")
        yield (
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{high:.1f}"'
            f' fill="{_COLOURS[_colour(place, rows)]}"><title>{told}</title></rect>'
        )
        below += high if is_stacked else 0.0


def _colour(place: int, rows: Sequence[Bars]) -> int:
    """Pages are red everywhere; times are not."""
    return place if rows[0].name == "pages" else len(_COLOURS) - 1 - place


def _step(highest: float) -> float:
    """1, 2 or 5 times a power of ten, so that three to seven lines are drawn; no fractions of incidents."""
    if highest <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(highest))
    best = next(step for step in (power / 5, power / 2, power, power * 2) if highest / step <= 6)  # noqa: PLR2004
    return max(1.0, best)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}" if value >= 10 or value == round(value) else f"{value:.1f}"  # noqa: PLR2004
