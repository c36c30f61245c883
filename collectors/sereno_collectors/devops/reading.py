"""Reads JSON that others wrote: what is asked for is there and of its kind, or a `Misfit` says where it isn't."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from sereno_backends.logs.ecs import EARLIEST, LATEST

LONGEST_TEXT = 2_000
"""Titles and names are cut here: the original keeps the rest."""
LONGEST_SHOWN = 60
_MILLISECONDS_FROM = 10**11  # seconds since 1970 reach this in the year 5138, milliseconds did in 1973
_ZONE_BEHIND_SPACE = re.compile(r"\s+(?:(UTC|Z)|([+-]\d{2}:?\d{2}))$")


Known = TypeVar("Known")


class Misfit(Exception):  # noqa: N818 - reads as what it is
    """Something isn't shaped as it should be; the message says where and what is expected."""


class Reader:
    """A place in a JSON document."""

    def __init__(self, value: Any, path: str = "") -> None:
        self.value = value
        self.path = path

    def at(self, path: str) -> "Reader":
        """The place at a dotted path; where nothing is, its value is None."""
        value = self.value
        for key in path.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        return Reader(value, f"{self.path}.{path}" if self.path else path)

    def key(self, name: str) -> "Reader":
        """The place under one key, which may hold dots."""
        value = self.value.get(name) if isinstance(self.value, Mapping) else None
        return Reader(value, f"{self.path}[{name}]")

    def __bool__(self) -> bool:
        return self.value is not None

    def each(self, path: str) -> "list[Reader]":
        """The elements of a list.

        Raises:
            Misfit: there is no list.
        """
        place = self.at(path)
        if not isinstance(place.value, list):
            raise place.misfit("a list")
        return [Reader(value, f"{place.path}.{index}") for index, value in enumerate(place.value)]

    def whole_text(self) -> str:
        """The text that stands here; empty where none does."""
        return _text(self.value)[:LONGEST_TEXT]

    def text(self, path: str) -> str:
        """A text that isn't empty; numbers that name things are taken for texts.

        Raises:
            Misfit: it isn't there.
        """
        place = self.at(path)
        found = _text(place.value)
        if not found:
            raise place.misfit("a text")
        return found[:LONGEST_TEXT]

    def text_or(self, path: str, default: str = "") -> str:
        """A text; the default where none is."""
        return (_text(self.at(path).value) or default)[:LONGEST_TEXT]

    def text_or_none(self, path: str) -> str | None:
        """A text that isn't empty, or None."""
        return self.text_or(path) or None

    def one_of(self, path: str, known: Mapping[str, Known]) -> Known:
        """What a word stands for, whatever its case.

        Raises:
            Misfit: nothing is there, or another word.
        """
        place = self.at(path)
        by_word = {word.lower(): value for word, value in known.items()}
        word = place.value.lower() if isinstance(place.value, str) else ""
        if word not in by_word:
            raise place.misfit(f"one of {', '.join(known)}")
        return by_word[word]

    def flag_or_none(self, path: str) -> bool | None:
        """True or false, or None where neither stands."""
        value = self.at(path).value
        return value if isinstance(value, bool) else None

    def count_or(self, path: str, default: int) -> int:
        """A whole number from 0; the default where none is."""
        value = self.at(path).value
        return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else default

    def time(self, path: str) -> datetime:
        """A time in UTC.

        Raises:
            Misfit: there is none, or one that nobody keeps.
        """
        found = self.time_or_none(path)
        if found is None:
            raise self.at(path).misfit("a time")
        return found

    def time_or_none(self, path: str) -> datetime | None:
        """A time in UTC; None where none is.

        Raises:
            Misfit: something is there that is no time, or one that nobody keeps.
        """
        return self.at(path).moment()

    def moment(self) -> datetime | None:
        """The time in UTC that stands here; None where none does.

        Raises:
            Misfit: something is here that is no time, or one that nobody keeps.
        """
        if self.value is None or self.value == "":
            return None
        found = _moment(self.value)
        if found is not None and found.year == 1:
            return None  # .NET's way to say "not yet"
        if found is None or not EARLIEST <= found < LATEST:
            raise self.misfit("a time (ISO 8601, or seconds since 1970)")
        return found

    def misfit(self, wanted: str) -> Misfit:
        """To be raised where something else was expected here."""
        return Misfit(f"{self.path or 'body'}: {wanted} is expected, not {_shown(self.value)}")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _shown(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case Mapping():
            return "an object"
        case list():
            return "a list"
        case _:
            return repr(value)[:LONGEST_SHOWN]


def _moment(value: Any) -> datetime | None:
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(_ZONE_BEHIND_SPACE.sub(_zone, value.strip()))
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value / 1000 if value >= _MILLISECONDS_FROM else value
            return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _zone(found: re.Match[str]) -> str:
    """GitLab writes `2021-04-28 21:50:00 +0200` and `2013-12-03 17:23:34 UTC`."""
    return found[2] or "+00:00"


def short_branch(ref: str) -> str:
    """The branch or tag without `refs/heads/` and `refs/tags/`."""
    return ref.removeprefix("refs/heads/").removeprefix("refs/tags/")


def sha_or_none(sha: str) -> str | None:
    """A commit's id; None for the zeros that stand for "nothing was there"."""
    return sha if sha.strip("0") else None


def first_line(message: str) -> str:
    """A commit's title."""
    return message.strip().partition("\n")[0].strip()


_CAUSING_DEPLOYMENT = re.compile(r"^caused-by-deployment:\s*(\S{1,200})\s*$", re.IGNORECASE | re.MULTILINE)
_CAUSING_COMMIT = re.compile(r"^caused-by:\s*([0-9a-f]{7,64})\s*$", re.IGNORECASE | re.MULTILINE)


def causes(description: str) -> tuple[str | None, str | None]:
    r"""The deployment and the commit that an issue's text names as its causes, each on a line of its own.

    >>> causes("Checkout fails.\n\nCaused-by-deployment: 4711\nCaused-by: 6dcb09b5b578\n")
    ('4711', '6dcb09b5b578')
    """
    deployment, commit = _CAUSING_DEPLOYMENT.search(description), _CAUSING_COMMIT.search(description)
    return deployment and deployment[1], commit and commit[1].lower()
