"""Why a fetch brought nothing: a value for metrics and a sentence for people."""

from enum import StrEnum


class Reason(StrEnum):
    """A label's value; there are few, and they stay."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    """Wrong credentials, or not allowed."""
    ERROR = "error"
    """The target answered that it can't."""
    GARBAGE = "garbage"
    """The answer is not what the target's documentation says."""
    TOO_LARGE = "too_large"
    CONFIGURATION = "configuration"
    """A file that the configuration names can't be read, a query that the target doesn't understand."""
    UNEXPECTED = "unexpected"
    """A bug of ours."""


MAY_PASS = frozenset({Reason.UNREACHABLE, Reason.ERROR})
"""What is worth a second try within the same scrape."""


class FetchError(Exception):
    """Nothing was brought. The message is one line, without secrets, and says what to do where that is known."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
