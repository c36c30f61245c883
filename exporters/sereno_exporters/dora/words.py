"""Times and lengths as people read them."""

from datetime import datetime, timedelta

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def length(span: timedelta) -> str:
    """`4 min`, `1 h 30 min`, `24 h`, `3 d 2 h`: the two largest units."""
    seconds = round(span.total_seconds())
    if seconds == 86_400:  # noqa: PLR2004 - a day, as rules say it
        return "24 h"
    parts: list[str] = []
    for size, unit in _UNITS:
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number} {unit}")
    return " ".join(parts[:2]) or "0 s"


def moment(at: datetime) -> str:
    """`2026-11-20 10:00:07Z`."""
    return f"{at:%Y-%m-%d %H:%M:%S}Z"
