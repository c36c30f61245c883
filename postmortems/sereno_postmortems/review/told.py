"""Places that wait for somebody's word: what a draft leaves open, and nobody has filled in."""

import re
from collections.abc import Iterator

from sereno_postmortems.measured_blocks import TOLD_COLUMN
from sereno_postmortems.review.findings import Finding
from sereno_postmortems.review.sections import Line, Outline, Section
from sereno_postmortems.tables import Cell, Row, Table, plain, title_of

_TOLD = re.compile(r"\*told(?::\*|\*:)", re.IGNORECASE)
_CHOICE = re.compile(r"\*measured\* · \*told\*, source:")
_BEGINS_ANEW = re.compile(r"\s*(?:[-+*>|#]|\d+[.)])\s|\s*$|\s*[|#>]")
"""A line that isn't the continuation of the paragraph above it."""
_PLACEHOLDER = re.compile(r"<[^<>]*>")
_HINT = re.compile(r"\s*-\s+(?:hint:|\*\*not measured\*\*)")
_COMMENT = re.compile(r"\s*<!--.*-->\s*")
_CURE = 'write what people know after *told:*, and who told it; "not known" is an answer'


def lines_in(found_tables: tuple[Table, ...]) -> frozenset[int]:
    """The numbers of all lines of tables."""
    return frozenset(
        number
        for table in found_tables
        for number in (table.header.line, table.header.line + 1, *(row.line for row in table.rows))
    )


def unanswered(path: str, document: Outline, found_tables: tuple[Table, ...]) -> Iterator[Finding]:
    """Every told place without an answer, in lines and in tables."""
    in_tables = lines_in(found_tables)
    for index, line in enumerate(document.lines):
        if line.number in in_tables:
            continue
        for mark in _TOLD.finditer(line.text):
            if is_open(_answer(document.lines, index, mark.end())):
                yield _finding(path, line.number, mark.start() + 1, _label(line.text, mark.start()), document)
        for choice in _CHOICE.finditer(line.text):
            if not line.text[choice.end() :].strip(" ).|"):
                yield _finding(path, line.number, choice.start() + 1, "", document)
    for table in found_tables:
        yield from _in_table(path, document, table)


def is_open(answer: str) -> bool:
    """Whether nothing was said: no text, the draft's own `… (to be written …)`, or the template's `<what to write>`."""
    text = answer.strip()
    return not text or text.startswith(("…", "...")) or bool(_PLACEHOLDER.fullmatch(text))


def words_of(section: Section, in_tables: frozenset[int]) -> str:
    """What people say in a section: without headings, hints, comments, tables and marks."""
    told = [
        line.text
        for line in section.lines
        if line.number not in in_tables
        and not line.text.lstrip().startswith("#")
        and not _HINT.match(line.text)
        and not _COMMENT.fullmatch(line.text)
    ]
    return _TOLD.sub("", "\n".join(told)).strip()


def _answer(lines: tuple[Line, ...], index: int, begin: int) -> str:
    """From the mark to the end of its paragraph, or to the next mark."""
    rest = [lines[index].text[begin:]]
    for at in range(index + 1, len(lines)):
        line = lines[at]
        if line.number != lines[at - 1].number + 1 or _BEGINS_ANEW.match(line.text) or _TOLD.search(line.text):
            break
        rest.append(line.text)
    return _TOLD.split("\n".join(rest), maxsplit=1)[0]


def _in_table(path: str, document: Outline, table: Table) -> Iterator[Finding]:
    told_column = table.column(TOLD_COLUMN)
    for row in table.rows:
        if row.line not in document.measured:
            yield from _in_row(path, document, row, told_column)
        elif told_column is not None and told_column < len(row.cells):
            cell = row.cells[told_column]
            if cell.raw.startswith(("…", "...")):
                yield _finding(path, cell.line, cell.column, "a row of the table", document)


def _in_row(path: str, document: Outline, row: Row, told_column: int | None) -> Iterator[Finding]:
    for index, cell in enumerate(row.cells):
        mark = _TOLD.match(cell.raw)
        if mark is not None and is_open(cell.raw[mark.end() :]) and not _is_filled(row, index):
            yield _finding(path, cell.line, cell.column, _row_label(row, cell), document)
        elif index == told_column and cell.raw.startswith(("…", "...")):
            yield _finding(path, cell.line, cell.column, "a row of the table", document)
        elif (choice := _CHOICE.search(cell.raw)) and not cell.raw[choice.end() :].strip(" ).|"):
            yield _finding(path, cell.line, cell.column + choice.start(), _row_label(row, cell), document)


def _is_filled(row: Row, mark: int) -> bool:
    """Whether a cell behind the row's name says something, the one with the mark left aside."""
    return any(not is_open(cell.raw) for index, cell in enumerate(row.cells) if index not in {0, mark})


def _row_label(row: Row, cell: Cell) -> str:
    first = row.cells[0]
    return "" if first is cell else title_of(first)


def _label(line: str, mark: int) -> str:
    """What stands before the mark: `- **Reviewed by:** *told:* …` asks who reviewed it."""
    return plain(line[:mark].strip().lstrip("-+*> ")).rstrip(":? ")


def _finding(path: str, line: int, column: int, label: str, document: Outline) -> Finding:
    asked = " / ".join(filter(None, (document.above(line), label)))
    return Finding(path, line, column, "PM002", f"nobody has answered: {asked or 'a told place'}", _CURE)
