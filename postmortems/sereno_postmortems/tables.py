"""Tables of Markdown as people write them: escaped pipes, columns in any order and number, no outer pipes, CRLF."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_DELIMITER = re.compile(r":?-+:?")
_OTHER_BLOCK = re.compile(r" {0,3}(#{1,6}(\s|$)|`{3}|~{3}|>|<|[-+*]\s|\d+[.)]\s)| {4}|\t")
"""What ends a table, and what no header begins with: headings, code, quotes, HTML, lists."""
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_MARKS = re.compile(r"(?<!\\)(\*\*|\*|~~|`)")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell; `line` and `column` count from 1 and point at its first character, or at where one would be."""

    raw: str
    """As it is written, without the white space around it."""
    line: int
    column: int

    @property
    def text(self) -> str:
        """As a reader sees it: without emphasis, code marks, addresses of links and escapes."""
        return plain(self.raw)


@dataclass(frozen=True, slots=True)
class Row:
    """One row below the header; it may have fewer cells than the header, or more, which readers don't see."""

    cells: tuple[Cell, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Table:
    """A header and its rows."""

    header: Row
    rows: tuple[Row, ...]

    def column(self, *names: str) -> int | None:
        """Where the first column of one of these names is; neither case nor what is in brackets matters."""
        titles = [title_of(cell) for cell in self.header.cells]
        return next((index for index, title in enumerate(titles) if title in names), None)


def tables(text: str) -> tuple[Table, ...]:
    """Every table of a document, in order; what is in fenced code is none."""
    lines = lines_of(text)
    coded = in_code(lines)
    found: list[Table] = []
    number = 0
    while number + 1 < len(lines):
        header = None if coded[number] else _header(lines[number], lines[number + 1], number + 1)
        if header is None:
            number += 1
            continue
        end = next(
            (at for at in range(number + 2, len(lines)) if not lines[at].strip() or _OTHER_BLOCK.match(lines[at])),
            len(lines),
        )
        found.append(Table(header, tuple(_row(lines[at], at + 1) for at in range(number + 2, end))))
        number = end
    return tuple(found)


def lines_of(text: str) -> list[str]:
    """The lines as editors number them: only LF and CRLF end one."""
    return [line.removesuffix("\r") for line in text.split("\n")]


def in_code(lines: Sequence[str]) -> list[bool]:
    """Which lines belong to fenced code, the fences included; a fence that is never closed lasts to the end."""
    answer, fence = [], ""
    for line in lines:
        found = FENCE.match(line)
        mark = found[1] if found else ""
        if fence:
            answer.append(True)
            if mark[:1] == fence[0] and len(mark) >= len(fence) and not line.strip().strip(mark[0]):
                fence = ""
        else:
            fence = mark
            answer.append(bool(mark))
    return answer


def plain(markdown: str) -> str:
    """A line of Markdown as its reader sees it."""
    without_links = _LINK.sub(r"\1", markdown)
    return _ESCAPED.sub(r"\1", _MARKS.sub("", without_links)).strip()


def title_of(cell: Cell) -> str:
    """A column's name: lower case, without what is in brackets."""
    return re.sub(r"\([^()]*\)", "", cell.text).strip().casefold()


def cell_at(row: Row, index: int | None) -> Cell | None:
    """The row's cell in a column; None where the table or the row has none."""
    return None if index is None or index >= len(row.cells) else row.cells[index]


def _header(line: str, below: str, number: int) -> Row | None:
    """The header's cells, if the line below is a delimiter row of as many."""
    if not line.strip() or _OTHER_BLOCK.match(line) or "|" not in line + below:
        return None
    header, delimiters = _row(line, number), _row(below, number + 1)
    is_table = len(header.cells) == len(delimiters.cells) and _are_delimiters(delimiters.cells)
    return header if is_table else None


def _are_delimiters(cells: Iterable[Cell]) -> bool:
    return all(_DELIMITER.fullmatch(cell.raw) for cell in cells)


def _row(line: str, number: int) -> Row:
    """Cut at the pipes that aren't escaped; the outer ones enclose no cell."""
    begin = len(line) - len(line.lstrip())
    pipes = _pipes(line)
    bounds = pipes if pipes[:1] == [begin] else [begin - 1, *pipes]
    if not pipes or line[pipes[-1] + 1 :].strip():
        bounds = [*bounds, len(line)]
    return Row(tuple(_cell(line, before + 1, end, number) for before, end in pairwise(bounds)), number)


def _pipes(line: str) -> list[int]:
    found, is_escaped = [], False
    for at, character in enumerate(line):
        if character == "|" and not is_escaped:
            found.append(at)
        is_escaped = character == "\\" and not is_escaped
    return found


def _cell(line: str, start: int, end: int, number: int) -> Cell:
    raw = line[start:end]
    trimmed = raw.strip()
    indent = len(raw) - len(raw.lstrip()) if trimmed else min(1, len(raw))
    return Cell(trimmed, number, start + indent + 1)
