"""The fenced blocks of a runbook: what can be copied, of which kind, and with which marks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAY_BE_EMPTY = "may-be-empty"
"""Mark of a query that may answer nothing in the middle of an incident; the words before it say what that means."""

_OPENING = re.compile(r" *(?P<fence>`{3,}|~{3,}) *(?P<info>[^`\n]*)\n?")


@dataclass(frozen=True, slots=True)
class Prose:
    """Lines between blocks, with their line feeds."""

    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. `opening + text + closing` is what stands in the file."""

    opening: str
    text: str
    closing: str
    """Empty where the file ends without one: Markdown's own reading."""
    line: int
    """Of the opening fence; the first line is 1."""
    info: tuple[str, ...]
    """The words behind the fence: the kind, then the marks."""

    @property
    def kind(self) -> str:
        """The block's language, such as `promql` or `sh`; empty if it names none."""
        return self.info[0] if self.info else ""

    @property
    def may_be_empty(self) -> bool:
        """Whether the query says that it may answer nothing."""
        return MAY_BE_EMPTY in self.info[1:]

    @property
    def content(self) -> str:
        """What a reader copies: without the indentation of a list item, without line feeds around it."""
        indent = len(self.opening) - len(self.opening.lstrip(" "))
        lines = (line[min(indent, len(line) - len(line.lstrip(" "))) :] for line in self.text.splitlines())
        return "\n".join(lines).strip("\n")


def segments(text: str) -> tuple[Prose | Block, ...]:
    """A runbook's text in its parts; put together again they are the text, sign for sign."""
    return tuple(_segments(text.splitlines(keepends=True)))


def blocks(text: str) -> tuple[Block, ...]:
    """The fenced blocks only."""
    return tuple(part for part in segments(text) if isinstance(part, Block))


def _segments(lines: list[str]) -> Iterator[Prose | Block]:
    prose: list[str] = []
    at = 0
    while at < len(lines):
        opening = _OPENING.fullmatch(lines[at])
        if opening is None:
            prose.append(lines[at])
            at += 1
            continue
        if prose:
            yield Prose("".join(prose))
            prose = []
        end = _closing(lines, at + 1, opening["fence"])
        yield Block(
            opening=lines[at],
            text="".join(lines[at + 1 : end]),
            closing="".join(lines[end : end + 1]),
            line=at + 1,
            info=tuple(opening["info"].split()),
        )
        at = end + 1
    if prose:
        yield Prose("".join(prose))


def _closing(lines: list[str], start: int, fence: str) -> int:
    """Where the block ends: a fence of the same sign, at least as long; otherwise the end of the file."""
    for at in range(start, len(lines)):
        line = lines[at].strip()
        if len(line) >= len(fence) and set(line) == {fence[0]}:
            return at
    return len(lines)
