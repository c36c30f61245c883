"""Rison as Kibana reads it. Kibana itself can't run here: the reader below is written from Rison's own grammar."""

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sereno_backends.kibana.rison import Rison, in_address, rison

T = TypeVar("T")

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
)


class _Reader:
    """Rison's grammar, read from left to right."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def whole(self) -> object:
        value = self._value()
        assert self._at == len(self._text), f"left over: {self._text[self._at :]!r}"
        return value

    def _take(self, wanted: str) -> bool:
        if self._text.startswith(wanted, self._at):
            self._at += len(wanted)
            return True
        return False

    def _value(self) -> object:
        for mark, value in (("!n", None), ("!t", True), ("!f", False)):
            if self._take(mark):
                return value
        if self._take("!("):
            return self._members(self._value)
        if self._take("("):
            return dict(self._members(self._pair))
        if self._take("'"):
            return self._quoted()
        return self._bare()

    def _members(self, one: Callable[[], T]) -> list[T]:
        found: list[T] = []
        while not self._take(")"):
            if found:
                assert self._take(",")
            found.append(one())
        return found

    def _pair(self) -> tuple[object, object]:
        key = self._quoted() if self._take("'") else self._bare()
        assert self._take(":")
        return key, self._value()

    def _quoted(self) -> str:
        found = ""
        while not self._take("'"):
            if self._take("!"):
                assert self._text[self._at] in "!'", "only these two are escaped"
            found += self._text[self._at]
            self._at += 1
        return found

    def _bare(self) -> str | int:
        begin = self._at
        while self._at < len(self._text) and self._text[self._at] not in " '!:(),*@$":
            self._at += 1
        found = self._text[begin : self._at]
        assert found, f"nothing at {begin} of {self._text!r}"
        return int(found) if found[0] in "-0123456789" else found


@given(_VALUES)
def test_what_is_written_is_read(value: Rison) -> None:
    """Any value is the same after writing and reading, by way of an address as well."""
    assert _Reader(rison(value)).whole() == value
    address = in_address(value)
    assert _Reader(unquote(address)).whole() == value
    assert not set(address) & set(' "#&?<>`{}|\\^[]+=\n\t'), "signs that end an address or change its meaning"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("", "''"),
        ("it's 5!", "'it!'s 5!!'"),
        ("-1", "'-1'"),
        ("1a", "'1a'"),
        ("a-1.b", "a-1.b"),
        ("logs-*", "'logs-*'"),
        ([["@timestamp", "desc"]], "!(!('@timestamp',desc))"),
        ({"a b": [], "c": {}}, "('a b':!(),c:())"),
    ],
)
def test_known_forms(value: Rison, written: str) -> None:
    """Texts are quoted where they must be, and only there."""
    assert rison(value) == written


def test_lone_surrogates_are_no_trouble() -> None:
    """What can't be encoded is replaced."""
    assert in_address("a\ud800b") == "a%3Fb"
