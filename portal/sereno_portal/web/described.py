"""What the description of the interface says of refusals: their statuses, in the one form that all have."""

from typing import Any, Final

_WHY: Final = {
    400: "The body is no JSON.",
    403: "From a web page of another origin, or from nobody who is known.",
    404: "There is nothing of that name; `error` has the nearest.",
    409: "Another entry has the id.",
    413: "The body is too large.",
    415: "The media type isn't JSON.",
    421: "Asked under a name that isn't the portal's.",
    422: "Something isn't as it should be; `error` says where.",
    429: "Too many are being worked on.",
    503: "Prometheus or the record of incidents doesn't answer.",
}
_FORM: Final = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string"}, "problems": {"type": "array", "items": {"type": "string"}}},
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers of a route beside its yes."""
    return {
        status: {"description": _WHY[status], "content": {"application/json": {"schema": _FORM}}} for status in statuses
    }
