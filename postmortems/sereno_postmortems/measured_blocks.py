"""What a draft measured stands between marks, so that it can be measured anew while people's words stay.

    <!-- measured:impact 0f3a5c7e9b12 -->
    …
    <!-- /measured:impact -->

The mark holds a digest of what was written: where it doesn't fit any more, somebody has edited the block. In a table
`time | measured | told` the told column and rows that are told only belong to people and are not in the digest.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TypeAlias

from sereno_postmortems.tables import Row, Table, in_code, tables

NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
"""Of a block."""

_BEGIN = re.compile(rf"<!-- measured:({NAME.pattern})(?: ([0-9a-f]{{12}}))? -->")
_END = re.compile(rf"<!-- /measured:({NAME.pattern}) -->")
_DIGEST_LENGTH = 12

MEASURED_COLUMN, TOLD_COLUMN = "measured", "told"


@dataclass(frozen=True, slots=True)
class Words:
    """Lines outside of the blocks, each with its line end: people's."""

    line: int
    """The number of the first one, from 1."""
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A block with its marks, each line with its line end."""

    name: str
    digest: str | None
    line: int
    """Where the first mark stands, from 1."""
    lines: tuple[str, ...]
    """The marks included."""

    @property
    def content(self) -> str:
        """What stands between the marks."""
        return "".join(self.lines[1:-1])

    @property
    def is_untouched(self) -> bool:
        """Whether it is as it was written, but for what people are meant to tell in it."""
        return self.digest == digest_of(self.content)


Part: TypeAlias = Words | Block


def marked(name: str, content: str) -> str:
    """The content between marks of that name."""
    return f"<!-- measured:{name} {digest_of(content)} -->\n{content.strip()}\n<!-- /measured:{name} -->"


def digest_of(content: str) -> str:
    """Of the words: white space at the ends of lines, which editors take away, changes nothing."""
    text = "\n".join(line.rstrip() for line in _without_told(content)).strip()
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_LENGTH]


def parts_of(text: str) -> tuple[Part, ...]:
    """The document cut into people's lines and blocks: joined, the parts are the text.

    A mark without its counterpart, a block within another and a second one of a name are people's words: nobody knows
    what they were meant to be, so nothing is replaced there.
    """
    lines = _kept_lines(text)
    coded = in_code([line.rstrip("\r\n") for line in lines])
    parts: list[Part] = []
    words_from = at = 0
    seen: set[str] = set()
    while at < len(lines):
        begin = None if coded[at] else _BEGIN.fullmatch(lines[at].rstrip())
        end = _end_of(lines, at, begin[1]) if begin and begin[1] not in seen else None
        if begin is None or end is None:
            at += 1
            continue
        if at > words_from:
            parts.append(Words(words_from + 1, tuple(lines[words_from:at])))
        seen.add(begin[1])
        parts.append(Block(begin[1], begin[2], at + 1, tuple(lines[at : end + 1])))
        words_from = at = end + 1
    if words_from < len(lines):
        parts.append(Words(words_from + 1, tuple(lines[words_from:])))
    return tuple(parts)


def is_mark(line: str) -> bool:
    """Whether a line looks like the mark of a block, with or without its counterpart."""
    return bool(_BEGIN.fullmatch(line.strip()) or _END.fullmatch(line.strip()))


def told_table(content: str) -> Table | None:
    """The first table with a time and both columns; its rows are `time | measured | told`."""
    for table in tables(content):
        titles = [cell.text.casefold() for cell in table.header.cells]
        if titles[1:] == [MEASURED_COLUMN, TOLD_COLUMN]:
            return table
    return None


def is_told_only(row: Row) -> bool:
    """Whether people wrote the whole row."""
    return len(row.cells) == 3 and not row.cells[1].raw  # noqa: PLR2004 - time, measured, told


def measured_part(row: Row) -> str:
    """The row without what is told in it; one of another shape is taken whole."""
    return " | ".join(cell.raw for cell in (row.cells[:2] if len(row.cells) == 3 else row.cells))  # noqa: PLR2004


def _kept_lines(text: str) -> list[str]:
    """By LF only: Unicode knows line ends that no editor counts."""
    lines = re.split(r"(?<=\n)", text)
    return lines if lines[-1] else lines[:-1]


def _end_of(lines: Sequence[str], begin: int, name: str) -> int | None:
    """The line of the block's end; None if another mark comes first."""
    for at in range(begin + 1, len(lines)):
        line = lines[at].rstrip()
        if is_mark(line):
            found = _END.fullmatch(line)
            return at if found and found[1] == name else None
    return None


def _without_told(content: str) -> Iterator[str]:
    lines = content.split("\n")
    table = told_table(content)
    rows = {} if table is None else {row.line: row for row in table.rows}
    for number, line in zip(count(1), lines, strict=False):
        row = rows.get(number)
        if row is None:
            yield line
        elif not is_told_only(row):
            yield f"{len(row.cells)}: {measured_part(row)}"
