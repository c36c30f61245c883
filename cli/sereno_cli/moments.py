"""Times as people write them on a command line: RFC 3339, or so long ago."""

from datetime import UTC, datetime, timedelta


def read_moment(text: str, now: datetime) -> datetime:
    """Read `2026-11-20T10:00:00Z`, `now`, `30d` or `now-30d` (both are 30 days before `now`).

    Raises:
        ValueError: it is none of these, or before the year 1; the message says what to write.
    """
    if text == "now":
        return now
    ago = _ago(text.removeprefix("now-"))
    try:
        moment = datetime.fromisoformat(text) if ago is None else now - ago
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no time; write 2026-11-20T10:00:00Z, 30d or now-3h") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; write it like {text}Z for UTC")
    return moment.astimezone(UTC)


def _ago(text: str) -> timedelta | None:
    from sereno_slo.duration import Duration

    try:
        return timedelta(milliseconds=Duration.parse(text).milliseconds)
    except (ValueError, OverflowError):
        return None
