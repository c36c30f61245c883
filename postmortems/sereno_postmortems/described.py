"""What the description of the interface says of refusals: their statuses, in the one form that all have."""

from typing import Any, Final

_WHY: Final = {
    400: "The body is no JSON, or broke off.",
    401: "Not signed by a secret that is known here.",
    403: "Not from here: from a web page of another origin, from another machine, or under another's name.",
    404: "There is no such incident.",
    409: "Another entry has the id.",
    413: "The body is too large.",
    422: "Something isn't as it should be; `problems` says where.",
    503: "The record can't be read or written now: to be sent again.",
}
_FORM: Final = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {"type": "string"},
        "problems": {"type": "array", "items": {"type": "string"}},
        "nearest": {"type": "array", "items": {"type": "string"}},
    },
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers of a route beside its yes."""
    return {
        status: {"description": _WHY[status], "content": {"application/json": {"schema": _FORM}}} for status in statuses
    }
