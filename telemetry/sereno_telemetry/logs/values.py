"""What callers hand in, as it may be written: without secrets, bounded, and in what JSON can always say."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from itertools import islice
from typing import Final
from uuid import UUID

import orjson

from sereno_telemetry.logs.masking import Masker

MOST_LABELS: Final = 64
MOST_FIELDS: Final = 64
MOST_ITEMS: Final = 64
"""Of a list or of a nested value."""
MOST_DEPTH: Final = 6
MOST_KEY_CHARACTERS: Final = 128
MOST_VALUE_CHARACTERS: Final = 4_096

_OVERLAP_CHARACTERS = 4_096
"""Searched for secrets beyond a cut, and left out: a secret that the cut halves might not be known as one."""
_LONGEST_CARD = 40  # 19 digits in groups: the only secret with blanks in it that a cut could halve
_DIGITS_OF_A_CARD = 10**12
_MOST_INTEGER = 2**63
_MOST_VALUES = 512
"""Of one nested value: depth and width alone would admit billions."""
_PLAIN = frozenset({type(None), bool, float, datetime, date, UUID})


class Values:
    """Makes values safe to write. No method raises."""

    def __init__(self, masker: Masker) -> None:
        self.masker = masker

    def text(self, text: str, most: int = MOST_VALUE_CHARACTERS, *, keep_end: bool = False) -> str:
        """At most about `most` characters of a text, from its beginning, or from its end (where traces say what)."""
        if len(text) <= most:
            return self.masker.text(text)
        if keep_end:
            kept = _without_head(self.masker.text(text[-(most + _OVERLAP_CHARACTERS) :]))[-most:]
        else:
            kept = _without_tail(self.masker.text(text[: most + _OVERLAP_CHARACTERS]))[:most]
        mark = f"… [{len(text) - len(kept)} characters cut] …"
        return mark + kept if keep_end else kept + mark

    def label(self, key: str, value: object) -> tuple[str, str]:
        """A label: ECS has flat maps of strings there, whose keys have no dots."""
        name, secret = self.key(key)
        if secret:
            return name, self.masker.secret()
        if type(value) is str:
            return name, self.text(value)
        plain = self.plain(value)
        if isinstance(plain, str):
            return name, plain
        if isinstance(plain, (bool, dict, list)):
            return name, self.text(dumps(plain).decode())
        return name, text_of(plain)

    def plain(self, value: object) -> object:
        """A value in what JSON can say, without secrets."""
        try:
            return _Walk(self).plain(value, MOST_DEPTH)
        except Exception:  # noqa: BLE001 - a container whose own methods raise
            return f"<{type(value).__qualname__}>"

    def fields(self, given: Mapping[object, object]) -> tuple[dict[str, object], int]:
        """ECS fields with dotted keys, from fields that are dotted or nested, and about how many were left out."""
        walk = _Walk(self)
        return dict(walk.flat("", given, MOST_DEPTH)), walk.left_out

    def key(self, key: str) -> tuple[str, bool]:
        """A key as it may be written, and whether its value is secret."""
        name, secret = self.masker.key(key if len(key) <= MOST_KEY_CHARACTERS else key[:MOST_KEY_CHARACTERS])
        return name, secret or (len(key) > MOST_KEY_CHARACTERS and self.masker.key(key[-MOST_KEY_CHARACTERS:])[1])


class _Walk:
    """One way through a nested value, at most `_MOST_VALUES` long."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._left = _MOST_VALUES
        self.left_out = 0

    def plain(self, value: object, depth: int) -> object:  # noqa: PLR0911 - one for each kind of value
        self._left -= 1
        kind = type(value)
        if kind is str:
            return self._values.text(str(value))
        if kind in _PLAIN:
            return value
        if kind is int:
            return self._integer(value)
        if isinstance(value, Enum):
            return self.plain(value.value, depth - 1) if depth > 0 else value.name
        if not isinstance(value, (Mapping, list, tuple, set, frozenset)):
            return self._values.text(text_of(value))
        if depth <= 0 or self._left <= 0:
            return f"… [{kind.__name__} of {len(value)}]"
        if isinstance(value, Mapping):
            return dict(self._items(value, depth - 1))
        items = [self.plain(item, depth - 1) for item in islice(value, min(MOST_ITEMS, self._left))]
        return items if len(value) <= len(items) else [*items, f"… [{len(value) - len(items)} more]"]

    def flat(self, before: str, given: Mapping[object, object], depth: int) -> Iterator[tuple[str, object]]:
        self.left_out += max(0, len(given) - MOST_ITEMS)
        for key, value in islice(given.items(), MOST_ITEMS):
            self._left -= 1
            if self._left <= 0:
                self.left_out += 1
                return
            name, secret = self._values.key(f"{before}{text_of(key)}")
            if value is None:
                continue
            if secret:
                yield name, self._values.masker.secret()
            elif isinstance(value, Mapping) and depth > 0:
                yield from self.flat(f"{name}.", value, depth - 1)
            else:
                yield name, self.plain(value, depth)

    def _integer(self, value: object) -> object:
        number = int(value)  # type: ignore[call-overload]
        if -_DIGITS_OF_A_CARD < number < _DIGITS_OF_A_CARD:
            return number
        text = text_of(number)
        masked = self._values.text(text)
        return number if masked == text and -_MOST_INTEGER <= number < _MOST_INTEGER else masked

    def _items(self, value: Mapping[object, object], depth: int) -> Iterator[tuple[str, object]]:
        for key, item in islice(value.items(), MOST_ITEMS):
            name, secret = self._values.key(text_of(key))
            yield name, self._values.masker.secret() if secret else self.plain(item, depth)


def text_of(value: object) -> str:
    """The value's own words, or what it is when it has none."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - a value whose own text raises
        return f"<{type(value).__qualname__}>"


def dumps(value: object) -> bytes:
    """`value`, made of what JSON can say, as JSON; half characters (lone surrogates) are written with a backslash."""
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    except (TypeError, ValueError, RecursionError):
        return orjson.dumps(_whole_characters(value))


def _whole_characters(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_whole_characters(str(key)): _whole_characters(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole_characters(item) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return _whole_characters(text_of(value))


def _without_tail(masked: str) -> str:
    """A text that was cut at its end, without what might be the first half of a secret."""
    if masked.endswith("]") and masked.rfind("[masked:") > len(masked) - _LONGEST_CARD * 2:
        return masked  # the rest was masked as a whole
    end = max(masked.rfind(blank, len(masked) - _OVERLAP_CHARACTERS, len(masked) - _LONGEST_CARD) for blank in " \n")
    return masked[:end] if end > 0 else masked[:-_OVERLAP_CHARACTERS]


def _without_head(masked: str) -> str:
    """A text that was cut at its beginning, without what might be the second half of a secret."""
    line = masked.find("\n", 0, _OVERLAP_CHARACTERS)
    return masked[line + 1 :] if line >= 0 else masked[_OVERLAP_CHARACTERS:]
