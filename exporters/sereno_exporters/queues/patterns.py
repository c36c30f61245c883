"""Names chosen by patterns, as shells write them: `*` is any text, `?` any letter, and nothing else is special."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator

from sereno_exporters.frame.words import mistake

_LONGEST = 255


def _pattern(text: str) -> str:
    if not text or len(text) > _LONGEST or not text.isprintable():
        raise mistake("SLO006", f"{text!r} is no pattern of a name", "write a name, or a pattern as orders*")
    if text.startswith("^") or text.endswith("$"):
        raise mistake("SLO006", f"{text!r} is a regular expression", "write a pattern of * and ?, as orders*")
    return text


def _some(patterns: tuple[str, ...]) -> tuple[str, ...]:
    if not patterns:
        raise mistake("SLO006", "the list is empty", 'write ["*"] for all')
    return patterns


Pattern = Annotated[str, AfterValidator(_pattern)]
Patterns = Annotated[tuple[Pattern, ...], AfterValidator(_some)]


def is_exact(pattern: str) -> bool:
    """Whether it is one name only."""
    return not re.search(r"[*?]", pattern)


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns is the whole name's."""
    return any(_expression(pattern).fullmatch(name) for pattern in patterns)


@lru_cache(maxsize=1024)
def _expression(pattern: str) -> re.Pattern[str]:
    # Possessive: `*a*b*c` tries each place once, however long the name is.
    pieces = [".".join(map(re.escape, piece.split("?"))) for piece in re.sub(r"\*+", "*", pattern).split("*")]
    first, *rest = pieces
    if not rest:
        return re.compile(first, re.DOTALL)
    *middle, last = rest
    return re.compile(first + "".join(f"(?>.*?{piece})" for piece in middle) + f".*{last}", re.DOTALL)
