"""A document cut at its headings, with the lines that people wrote told apart from what was measured and from code."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from sereno_postmortems.measured_blocks import Block, is_mark, parts_of
from sereno_postmortems.tables import in_code, lines_of, plain

_HEADING = re.compile(r" {0,3}(#{1,6})(?=[ \t]|$)")
_RANKS = 6


@dataclass(frozen=True, slots=True)
class Line:
    """One line of people's words."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """What stands below one heading, up to the next of its rank or a higher one."""

    title: str
    rank: int
    line: int
    parents: tuple[str, ...]
    """The titles above it, outermost first."""
    lines: tuple[Line, ...]
    """Of people, those of the headings within included."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A document's sections in order, and all of people's lines."""

    sections: tuple[Section, ...]
    lines: tuple[Line, ...]
    """Without code, without measured blocks and their marks."""
    measured: frozenset[int]
    """Numbers of the lines of measured blocks, where only told cells are people's."""
    broken_marks: tuple[int, ...]
    """Lines with a mark of a measured block that has lost its counterpart."""

    def titled(self, *titles: str) -> Section | None:
        """The first section of one of these titles, whatever the case."""
        wanted = {title.casefold() for title in titles}
        return next((section for section in self.sections if section.title.casefold() in wanted), None)

    def above(self, number: int) -> str:
        """The title of the nearest heading above a line; empty if there is none."""
        found = bisect_right(self.sections, number, key=lambda section: section.line)
        return self.sections[found - 1].title if found else ""


def outline(text: str) -> Outline:
    """Cut the document."""
    lines = lines_of(text)
    coded = in_code(lines)
    measured = frozenset(_measured_lines(text))
    marks = tuple(n for n, line in enumerate(lines, 1) if n not in measured and not coded[n - 1] and is_mark(line))
    left_out = measured | set(marks)
    own = tuple(
        Line(number, line) for number, line in enumerate(lines, 1) if number not in left_out and not coded[number - 1]
    )
    return Outline(tuple(_sections(lines, coded, own)), own, measured, marks)


def heading(line: str) -> tuple[int, str] | None:
    """Rank and title of a heading."""
    found = _HEADING.match(line)
    if found is None:
        return None
    title = line[found.end() :].strip()
    closed = title.rstrip("#")
    return len(found[1]), plain(closed if not closed or closed[-1].isspace() else title)


def _measured_lines(text: str) -> Iterator[int]:
    for part in parts_of(text):
        if isinstance(part, Block):
            yield from range(part.line, part.line + len(part.lines))


def _sections(lines: list[str], coded: list[bool], own: tuple[Line, ...]) -> Iterator[Section]:
    found = [
        (number, *at)
        for number, line in enumerate(lines, 1)
        if not coded[number - 1] and (at := heading(line.rstrip()))
    ]
    ends, below = [len(lines) + 1] * len(found), [len(lines) + 1] * (_RANKS + 1)
    for index in range(len(found) - 1, -1, -1):
        number, rank, _ = found[index]
        ends[index] = min(below[: rank + 1])
        below[rank] = number
    above: list[tuple[int, str]] = []
    for (number, rank, title), end in zip(found, ends, strict=True):
        while above and above[-1][0] >= rank:
            above.pop()
        first, last = (bisect_left(own, at, key=lambda line: line.number) for at in (number + 1, end))
        yield Section(title, rank, number, tuple(name for _, name in above), own[first:last])
        above.append((rank, title))
