"""Secrets that a text tells by their name: `password=…`, `"token": "…"`, `Authorization: Bearer …`, `?api_key=…`.

The search goes from one separator to the next and looks back at the name before it, so any text is read once.
"""

import re
from collections.abc import Iterable

# The comma is for pairs: ASGI's headers are [(b"authorization", b"Bearer …")].
_SEPARATOR = re.compile(r"={1,3}>?|:=?|%3[Dd]|,(?<=[\"'],)(?= ?b?[\"'])")
_BEFORE_SEPARATOR = " \t\\\"'`])"
_ASSIGNED = re.compile(r"[\]\"'`]{0,4}[ \t]{0,16}={1,3}(?=[ \t]{0,16}\S)")
_BLANKS = re.compile(r"[ \t]{0,16}")
_QUOTE = re.compile(r"(?<!\\)(\\*)([\"'`])")
_OPENING = re.compile(r"[bru]{0,2}(\\*)([\"'`])")
_SCHEME = re.compile(r"(?:bearer|basic|digest|negotiate|token|apikey)[ \t]{1,4}(?=\S)", re.IGNORECASE)
_ENDS = r"\\{0,8}[\"'`][,:;)}\]>]|[\"'`)\]}>,;.\\]{0,8}(?:[\s&]|\Z)"
_TO_END_OF_WORD = re.compile(rf"(?:(?!{_ENDS}).)*", re.DOTALL)
_TO_END_OF_LINE = re.compile(r"[^\r\n]*")
_WORDS = re.compile(r"[^A-Za-z0-9]")

_HEADERS = ("cookie", "authorization")
"""Headers whose value has spaces and quotes: it goes to the end of the line, if it isn't quoted as a whole."""


def plain_key(key: str) -> str:
    """A key as names are compared: in lower case, letters and digits only."""
    return _WORDS.sub("", key).lower()


class NamedSecrets:
    """Finds the values of secret keys.

    A key is secret when its plain form ends with a name: `DB_PASSWORD`, `accessToken` and `X-Api-Key` are, with the
    names `password`, `token` and `api_key`.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._plain = tuple(sorted({plain_key(name) for name in names}))
        written = {
            way: None
            for name in names
            for way in (separator.join(re.split(r"[_.\- ]+", name.lower())) for separator in "_-. ")
        } | dict.fromkeys(self._plain)
        self._longest = max(map(len, written), default=0) + 8
        self._by_end: dict[str, tuple[str, ...]] = {}
        for way in written:
            self._by_end[way[-2:]] = (*self._by_end.get(way[-2:], ()), way)

    def is_secret(self, key: str) -> bool:
        """Whether the value of this key is to be masked."""
        return plain_key(key).endswith(self._plain)

    def masked(self, text: str, mark: str) -> tuple[str, int]:
        """`text` with `mark` in place of the values of secret keys, and how many these were."""
        pieces: list[str] = []
        done = 0
        for separator in _SEPARATOR.finditer(text):
            if separator.start() < done:
                continue
            before = text[max(done, separator.start() - self._longest) : separator.start()].rstrip(_BEFORE_SEPARATOR)
            ends = self._by_end.get(before[-2:].lower())
            if ends is None or not before.lower().endswith(ends):
                continue
            begin, end = _value(text, separator.end(), to_end_of_line=before.lower().endswith(_HEADERS))
            assigned = _ASSIGNED.match(text, end)
            if assigned:  # `password: str = "…"` in a line of code: what was found so far is a type
                _, end = _value(text, assigned.end(), to_end_of_line=False)
            if begin < end and not text.startswith(mark, begin):
                pieces += [text[done:begin], mark]
                done = end
        return ("".join(pieces) + text[done:], len(pieces) // 2) if pieces else (text, 0)


def _value(text: str, place: int, *, to_end_of_line: bool) -> tuple[int, int]:
    """Where the value behind a separator begins and ends."""
    place = _end(_BLANKS, text, place)
    opening = _OPENING.match(text, place)
    if opening:
        return opening.end(), _closing(text, opening.end(), len(opening[1]), opening[2])
    if to_end_of_line or text.startswith(("{", "[", "("), place):  # whatever a nested value holds is secret
        return place, _end(_TO_END_OF_LINE, text, place)
    return place, _end(_TO_END_OF_WORD, text, _end(_SCHEME, text, place))


def _end(pattern: re.Pattern[str], text: str, place: int) -> int:
    found = pattern.match(text, place)
    return found.end() if found else place


def _closing(text: str, place: int, backslashes: int, quote: str) -> int:
    """Where a quoted value ends: at the next quote that isn't escaped, else at the end of the text.

    Text within text doubles backslashes and adds one before each quote: at depth n the quotes that delimit have
    2^n - 1 of them, and `2^n - 1` modulo `2^(n + 1)` if the value itself ends with some.
    """
    for found in _QUOTE.finditer(text, place):
        if found[2] == quote and len(found[1]) % (2 * (backslashes + 1)) == backslashes:
            return found.end() - 1 - backslashes
    return len(text)
