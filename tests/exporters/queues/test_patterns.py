"""Patterns of names."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from sereno_exporters.queues.patterns import is_exact, matches
from support.timing import timed

LETTERS = some.text(alphabet="ab.*?\n", max_size=6)


def matches_slowly(name: str, pattern: str) -> bool:
    """The definition: `*` takes nothing or a letter more, `?` takes one."""
    if not pattern:
        return not name
    if pattern[0] == "*":
        return matches_slowly(name, pattern[1:]) or (bool(name) and matches_slowly(name[1:], pattern))
    return bool(name) and pattern[0] in (name[0], "?") and matches_slowly(name[1:], pattern[1:])


@settings(deadline=None)
@given(name=some.text(alphabet="ab.\n", max_size=7), pattern=LETTERS)
def test_a_pattern_matches_what_its_definition_says(name: str, pattern: str) -> None:
    """Whole names, any letters, nothing else is special."""
    assert matches(name, [pattern]) == matches_slowly(name, pattern)


@pytest.mark.parametrize(("pattern", "expected"), [("orders", True), ("orders*", False), ("o?", False), ("a.b", True)])
def test_a_name_is_told_from_a_pattern(pattern: str, *, expected: bool) -> None:
    """Without `*` and `?` it is one name."""
    assert is_exact(pattern) == expected


@timed
def test_no_pattern_takes_long() -> None:
    """Many stars over a long name that doesn't match."""
    begun = time.monotonic()
    assert not matches("a" * 5_000 + "b", ["*a" * 60 + "c"])
    assert time.monotonic() - begun < 1
