"""How long inputs wait for what, alike for all of them."""

from datetime import UTC, datetime

POLL_SECONDS = 0.2
OPEN_EVENT_SECONDS = 0.4
"""How long text that may go on in the next line is waited for: a traceback is written in one breath."""
FLUSH_SECONDS = 0.5
"""How long reading goes on after the end was asked for."""


def utc_now() -> datetime:
    """The time of day, aware."""
    return datetime.now(UTC)
