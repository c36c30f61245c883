"""Names that nobody knows: 404, with those that look like them, in the language of who asks."""

import difflib
from collections.abc import Iterable
from http import HTTPStatus

from fastapi import HTTPException

from sereno_portal.web.languages import ENGLISH, said

_MOST_NEAREST = 3
_MOST_LETTERS = 100
_NEAREST = "do you mean {nearest}?"


class NoSuch(HTTPException):
    """There is nothing of that name; `detail` is English."""

    def __init__(self, text: str, name: str, nearest: Iterable[str]) -> None:
        """Args: text: such as `there is no service {name}`; name: what was asked for; nearest: what looks like it."""
        self._text, self._name, self._nearest = text, name[:_MOST_LETTERS], tuple(nearest)[:_MOST_NEAREST]
        super().__init__(HTTPStatus.NOT_FOUND, self.told(ENGLISH))

    def told(self, language: str) -> str:
        """What is missing, and what may be meant."""
        missing = said(self._text, language, {"name": repr(self._name)})
        if not self._nearest:
            return missing
        names = self._nearest[0]
        for name in self._nearest[1:]:
            names = said("{one} or {other}", language, {"one": names, "other": name})
        return f"{missing}; {said(_NEAREST, language, {'nearest': names})}"


def no_such(text: str, name: str, known: Iterable[str]) -> NoSuch:
    """To be raised where `text` holds; the nearest are looked for among what is known."""
    return NoSuch(text, name, difflib.get_close_matches(name, list(known), n=_MOST_NEAREST, cutoff=0.4))
