"""Names that nobody knows: 404, with those that look like them."""

import difflib
from collections.abc import Iterable
from http import HTTPStatus

from fastapi import HTTPException

_MOST_NEAREST = 3


def no_such(what: str, name: str, known: Iterable[str]) -> HTTPException:
    """To be raised where there is no `what` of that name."""
    nearest = difflib.get_close_matches(name, list(known), n=_MOST_NEAREST, cutoff=0.4)
    told = f"; do you mean {' or '.join(nearest)}?" if nearest else ""
    return HTTPException(HTTPStatus.NOT_FOUND, f"there is no {what} {name[:100]!r}{told}")
