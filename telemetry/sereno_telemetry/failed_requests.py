"""A note on an exception that says which request it ended.

The server logs an unhandled exception only after the request's span is over, and without its route: what a reader
needs to find the trace, and to see which operation fails, travels with the exception itself.
"""

import contextlib
from dataclasses import dataclass

_ATTRIBUTE = "__sereno_failed_request__"


@dataclass(frozen=True, slots=True)
class FailedRequest:
    """The request that an unhandled exception ended."""

    method: str
    route: str
    trace_id: str | None
    span_id: str | None


def note_failed_request(error: BaseException, request: FailedRequest) -> None:
    """Leave `request` on `error`; exceptions that take no attributes stay without."""
    with contextlib.suppress(AttributeError, TypeError):
        setattr(error, _ATTRIBUTE, request)


def failed_request(error: BaseException | None) -> FailedRequest | None:
    """The request that `error` ended, if it was noted."""
    request = getattr(error, _ATTRIBUTE, None)
    return request if isinstance(request, FailedRequest) else None
