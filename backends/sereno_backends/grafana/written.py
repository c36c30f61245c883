"""Values out of JSON with the place where they stand, so that what is wrong can be named; pure."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


class DashboardInvalid(Exception):  # noqa: N818 - reads as what happened
    """The text is no dashboard that can be read; the message says where and what is wrong."""


@dataclass(frozen=True, slots=True)
class Written:
    """A mapping of the file. Absent keys and `null` are alike: Grafana writes both."""

    content: Mapping[str, Any]
    place: str
    """`panels[3].gridPos`; empty is the whole."""

    def text(self, key: str, default: str = "") -> str:
        """A text."""
        value = self.content.get(key)
        if value is None:
            return default
        if not isinstance(value, str):
            raise self.wrong(key, value, "a text")
        return value

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Yes or no."""
        value = self.content.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.wrong(key, value, "true or false")
        return value

    def whole(self, key: str) -> int | None:
        """A whole number."""
        value = self.content.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST or value % 1:
            raise self.wrong(key, value, "a whole number")
        return int(value)

    def number(self, key: str) -> float | None:
        """A number."""
        value = self.content.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST_NUMBER:
            raise self.wrong(key, value, "a number")
        return float(value)

    def inner(self, key: str) -> "Written":
        """A mapping; an empty one where there is none."""
        value = self.content.get(key)
        if value is None:
            value = {}
        if not isinstance(value, dict):
            raise self.wrong(key, value, "a mapping")
        return Written(value, self._at(key))

    def each(self, key: str) -> Iterator["Written"]:
        """The mappings of a list."""
        for number, value in enumerate(self.listed(key)):
            if not isinstance(value, dict):
                raise self.wrong(f"{key}[{number}]", value, "a mapping")
            yield Written(value, self._at(f"{key}[{number}]"))

    def listed(self, key: str) -> list[Any]:
        """A list; an empty one where there is none."""
        value = self.content.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.wrong(key, value, "a list")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, or one text."""
        value = self.content.get(key)
        listed = value if isinstance(value, list) else [] if value is None else [value]
        if not all(isinstance(each, str) for each in listed):
            raise self.wrong(key, value, "a text or a list of texts")
        return tuple(listed)

    def wrong(self, key: str, value: Any, wanted: str) -> DashboardInvalid:
        """The error to raise where something else stands than was wanted."""
        return DashboardInvalid(f"{self._at(key)} is {_shown(value)}; it must be {wanted}")

    def _at(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key


_LARGEST = 2**53
"""Where JavaScript's whole numbers end."""
_LARGEST_NUMBER = sys.float_info.max
_LONGEST_SHOWN = 60


def _shown(value: Any) -> str:
    match value:
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case bool():
            return str(value).lower()
        case _:
            shown = repr(value)
            return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…"
