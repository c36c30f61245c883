"""Rison, the form in which Kibana keeps its state in addresses; pure.

Source: https://github.com/Nanonid/rison (grammar), which Kibana's `@kbn/rison` implements.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias
from urllib.parse import quote

Rison: TypeAlias = "Mapping[str, Rison] | Sequence[Rison] | str | int | bool | None"

# A text needs no quotes where it is an id: no sign that means something, and not begun like a number.
_ID = re.compile(r"[^-0-9 '!:(),*@$][^ '!:(),*@$]*")
_KEPT_IN_ADDRESSES = "!'():,*@$/-_.~"
"""Signs that may stand in an address's fragment as they are, so that people can read it; all others are encoded."""


def rison(value: Rison) -> str:
    """The value as Rison.

    >>> rison({"time": {"from": "2026-11-25T12:00:00Z"}, "pause": True, "columns": ["message"]})
    "(time:(from:'2026-11-25T12:00:00Z'),pause:!t,columns:!(message))"
    """
    match value:
        case None | True | False:
            return {None: "!n", True: "!t", False: "!f"}[value]
        case int():
            return str(value)
        case str():
            return _text(value)
        case Mapping():
            return f"({','.join(f'{_text(key)}:{rison(inner)}' for key, inner in value.items())})"
        case _:
            return f"!({','.join(map(rison, value))})"


def in_address(value: Rison) -> str:
    """The value as Rison, encoded for the query or the fragment of an address; lone surrogates become `?`."""
    return quote(rison(value), safe=_KEPT_IN_ADDRESSES, errors="replace")


def _text(text: str) -> str:
    if _ID.fullmatch(text):
        return text
    escaped = text.replace("!", "!!").replace("'", "!'")
    return f"'{escaped}'"
