"""A fresh draft into a file that people have worked on: what was measured is renewed, no word of theirs is lost."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sereno_postmortems.measured_blocks import (
    Block,
    Words,
    is_told_only,
    marked,
    measured_part,
    parts_of,
    told_table,
)
from sereno_postmortems.tables import Row, Table

SOURCES = "sources"
"""The block that lists what was asked, one heading such as `### P3` each."""

_SOURCE = re.compile(r"^### ([A-Z][0-9]+)[ \t]*\r?$", re.MULTILINE)
_REFERENCE = re.compile(r"\(#([a-z][0-9]+)\)")
_MARK = re.compile(r" · \*measured\* .*$")


@dataclass(frozen=True, slots=True)
class Updated:
    """The file's new text, and what became of each block; names in order of appearance."""

    text: str
    renewed: tuple[str, ...]
    edited: tuple[tuple[str, int], ...]
    """Left as they are because people have edited them, with the line of their mark."""
    removed: tuple[str, ...]
    """Blocks of a fresh draft that the file doesn't have (any more): they stay away."""


def updated(existing: str, fresh: str, *, recorded: Collection[str] = ()) -> Updated:
    """The existing text with every untouched block replaced by the fresh draft's of the same name.

    Words outside of blocks stay byte for byte, and edited blocks too. In a timeline what people told stays beside its
    row; a row that isn't measured any more stays if something was told of it. `recorded` are told cells that the record
    itself has written, corrected ones too: those are renewed like what is measured.
    """
    new = {part.name: part for part in parts_of(fresh) if isinstance(part, Block)}
    parts = parts_of(existing)
    blocks = [part for part in parts if isinstance(part, Block)]
    renewable = {part.name for part in blocks if part.is_untouched and part.name in new}
    others = "".join(
        _renewed(part, new[part.name], recorded)
        if isinstance(part, Block) and part.name in renewable
        else "".join(part.lines)
        for part in parts
        if not (isinstance(part, Block) and part.name == SOURCES)
    )
    text = "".join(
        "".join(part.lines)
        if isinstance(part, Words) or part.name not in renewable
        else _with_line_ends(_sources(part, new[part.name], others), part)
        if part.name == SOURCES
        else _renewed(part, new[part.name], recorded)
        for part in parts
    )
    known = {part.name for part in blocks}
    return Updated(
        text=text,
        renewed=tuple(part.name for part in blocks if part.name in renewable),
        edited=tuple((part.name, part.line) for part in blocks if not part.is_untouched),
        removed=tuple(name for name in new if name not in known),
    )


def has_measured_blocks(text: str) -> bool:
    """Whether there is anything in it that can be renewed."""
    return any(isinstance(part, Block) for part in parts_of(text))


def known_sources(existing: str) -> Mapping[str, str]:
    """What the file's sources say → their number, such as `P3`: a fresh draft numbers the same questions alike."""
    block = next((part for part in parts_of(existing) if isinstance(part, Block) and part.name == SOURCES), None)
    return {} if block is None else {body: number for number, body in _entries(block.content)}


def _renewed(old: Block, new: Block, recorded: Collection[str]) -> str:
    content = new.content
    table, fresh = told_table(old.content), told_table(content)
    if table is not None and fresh is not None:
        content = _with_told(content, fresh, (table, old.content), recorded)
    return _with_line_ends(marked(new.name, content), old)


def _with_line_ends(text: str, old: Block) -> str:
    """As the file has them, also where it ends without one."""
    first, last = old.lines[0], old.lines[-1]
    end = "\r\n" if first.endswith("\r\n") else "\n"
    return text.replace("\r\n", "\n").replace("\n", end) + ("" if last == last.rstrip("\r\n") else end)


def _with_told(content: str, fresh: Table, before: tuple[Table, str], recorded: Collection[str]) -> str:
    """The fresh table with the told cells and rows of the old one, each where its predecessor stands."""
    table, old = before
    lines, old_lines = content.split("\n"), old.split("\n")
    measured = [row for row in fresh.rows if not is_told_only(row)]
    places: dict[str, list[int]] = {}
    for at, row in enumerate(measured):
        places.setdefault(_key(row), []).append(at)
    told: dict[int, str] = {}
    extra: dict[int, list[str]] = {}
    place = -1
    for row in table.rows:
        words = "" if row.cells[2].raw in recorded else row.cells[2].raw
        if not is_told_only(row) and places.get(_key(row)):
            place = places[_key(row)].pop(0)
            if words or not measured[place].cells[2].raw:
                told[place] = words
        elif is_told_only(row) or words:
            extra.setdefault(place, []).append(old_lines[row.line - 1].removesuffix("\r"))
    rows = list(extra.get(-1, ()))
    for at, row in enumerate(measured):
        rows += [_line(row, told.get(at, row.cells[2].raw)), *extra.get(at, ())]
    begin = fresh.header.line + 1
    return "\n".join([*lines[:begin], *rows, *lines[begin + len(fresh.rows) :]])


def _line(row: Row, told: str) -> str:
    cells = [row.cells[0].raw, row.cells[1].raw, told]
    return "".join(f"| {cell} " if cell else "| " for cell in cells) + "|"


def _key(row: Row) -> str:
    """What happened when; how it was measured may change from one draft to the next."""
    return _MARK.sub("", measured_part(row))


def _sources(old: Block, new: Block, others: str) -> str:
    """The fresh sources, and those of earlier drafts that something in the file still leans on."""
    fresh = dict(_entries(new.content))
    wanted = set(_REFERENCE.findall(others))
    kept = [
        f"### {number}\n\n{body}"
        for number, body in _entries(old.content)
        if number not in fresh and number.lower() in wanted
    ]
    return marked(new.name, "\n\n".join([new.content.strip(), *kept])) if kept else marked(new.name, new.content)


def _entries(content: str) -> Iterator[tuple[str, str]]:
    """Number and text of each source."""
    cut: Sequence[str] = _SOURCE.split(content.replace("\r\n", "\n"))
    for number, body in zip(cut[1::2], cut[2::2], strict=True):
        yield number, body.strip()
