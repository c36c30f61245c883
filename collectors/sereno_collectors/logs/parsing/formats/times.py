"""Times as loggers write them: whatever a text or a number holds, it is an instant that a store keeps, or None."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, Final

from sereno_backends.logs.ecs import EARLIEST, EPOCH, LATEST

from sereno_collectors.logs.parsing.formats.values import ReadingContext

MOST_TIME_CHARACTERS: Final = 48

ISO: Final = (
    r"(?P<year>\d{4})[-/](?P<month>\d\d)[-/](?P<day>\d\d)[T ](?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
    r"(?:[.,](?P<fraction>\d{1,9}))?(?P<zone> ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d)(?![\w:])|[+-]\d\d(?![\w:]))?"
)
"""2026-11-25T12:00:00.123456Z, 2026-11-25 12:00:00,123, 2026/11/25 12:00:00, with or without a zone."""

MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
MONTH: Final = f"(?P<month>{'|'.join(MONTHS)})"

_ISO = re.compile(ISO, re.ASCII)
_DIGITS = re.compile(r"\d{9,19}(?:\.\d{1,9})?", re.ASCII)

# The unit of a number of seconds since 1970 follows from its size: these years are apart by factors of a thousand.
_FIRST_SECOND = 946_684_800  # 2000
_LAST_SECOND = 4_102_444_800  # 2100
_UNITS_A_SECOND = (1, 1_000, 1_000_000, 1_000_000_000)

AHEAD = timedelta(days=1)
"""How far a time without a year may lie after the time of reading; beyond it is of the year before."""


def moment_of(match: re.Match[str], context: ReadingContext) -> datetime | None:
    """The instant that a match with the groups year, month, day, hour, minute, second says.

    The groups fraction and zone may be missing; a month may be a number or a name.
    """
    groups = match.groupdict()
    month = groups["month"]
    try:
        moment = datetime(
            int(groups["year"]),
            MONTHS[month] if month in MONTHS else int(month),
            int(groups["day"]),
            int(groups["hour"]),
            int(groups["minute"]),
            int(groups["second"]),
            int(((groups.get("fraction") or "") + "000000")[:6]),
            tzinfo=_zone(groups.get("zone"), context.zone),
        )
    except ValueError:
        return None
    return _kept(moment)


def moment_without_year(match: re.Match[str], context: ReadingContext) -> datetime | None:
    """The instant of a time that names no year: the last one that was, seen from the time of reading."""
    groups = match.groupdict()
    zone = _zone(groups.get("zone"), context.zone)
    month = groups["month"]
    try:
        rest = (
            MONTHS[month] if month in MONTHS else int(month),
            int(groups["day"]),
            int(groups["hour"]),
            int(groups["minute"]),
            int(groups["second"]),
            int(((groups.get("fraction") or "") + "000000")[:6]),
        )
        # A year may have no 29 February, another has.
        for year in range(context.read_at.astimezone(zone).year + 1, context.read_at.year - 5, -1):
            try:
                moment = datetime(year, *rest, tzinfo=zone)
            except ValueError:
                continue
            if moment <= context.read_at + AHEAD:
                return _kept(moment)
    except ValueError:
        return None
    return None


def moment_in(value: Any, context: ReadingContext) -> datetime | None:
    """The instant that a whole value is: ISO text, digits, or a number since 1970 whose unit follows from its size."""
    if isinstance(value, str):
        text = value.strip() if len(value) <= MOST_TIME_CHARACTERS else ""
        match = _ISO.fullmatch(text)
        if match is not None:
            return moment_of(match, context)
        if _DIGITS.fullmatch(text) is None:
            return None
        value = float(text) if "." in text else int(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return _since_1970(value)


def _since_1970(value: float) -> datetime | None:
    for units in _UNITS_A_SECOND:
        if _FIRST_SECOND * units <= value < _LAST_SECOND * units:
            microseconds = value * 1_000_000 // units if isinstance(value, int) else round(value * (1_000_000 / units))
            return _kept(EPOCH + timedelta(microseconds=microseconds))
    return None


def _zone(text: str | None, otherwise: tzinfo) -> tzinfo:
    """The zone that a text names.

    Raises:
        ValueError: there is none that far from UTC.
    """
    zone = (text or "").strip()
    if not zone:
        return otherwise
    if zone[0] not in "+-":
        return UTC if zone in ("Z", "UTC", "GMT") else otherwise
    digits = zone[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or "0"))
    return timezone(-offset if zone[0] == "-" else offset)


def _kept(moment: datetime) -> datetime | None:
    try:
        utc = moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return utc if EARLIEST <= utc < LATEST else None
