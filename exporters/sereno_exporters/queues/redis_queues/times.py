"""How old an entry is: by a stream's ids, or by what a list's entry says. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from sereno_exporters.queues.redis_queues.settings import EntryTime

_EARLIEST_SECONDS = 946_684_800.0
"""2000: what is before is no time, but a number of the producer's own."""
_LATEST_AHEAD_SECONDS = 86_400.0
_GREATEST = (1 << 128) - 1
"""Of ids: two numbers of 64 bits."""


def age_of(moment: float | None, now: float) -> float | None:
    """Seconds; None where the moment is none of this century, or more than a day ahead."""
    if moment is None or not _EARLIEST_SECONDS <= moment <= now + _LATEST_AHEAD_SECONDS:
        return None
    return max(0.0, now - moment)


def moment_of_id(stream_id: bytes) -> float | None:
    """Seconds since the epoch of an id that Redis made: milliseconds, a dash, a number."""
    milliseconds, _, _ = stream_id.partition(b"-")
    return int(milliseconds) / 1_000 if milliseconds.isdigit() else None


def id_after(stream_id: bytes) -> bytes:
    """The least id that is greater; exclusive ranges are Redis 6.2's."""
    milliseconds, _, sequence = stream_id.partition(b"-")
    position = (int(milliseconds) << 64) + int(sequence or b"0")
    return b"%d-%d" % divmod(min(position + 1, _GREATEST), 1 << 64)


def moment_of_entry(entry: bytes, time: EntryTime) -> float | None:
    """Seconds since the epoch that stand in a JSON object; None where they don't."""
    try:
        found: Any = orjson.loads(entry)
    except orjson.JSONDecodeError:
        return None
    for name in time.field.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return _moment(found, time)


def _moment(written: Any, time: EntryTime) -> float | None:
    if time.unit == "iso8601":
        return _parsed(written) if isinstance(written, str) else None
    if isinstance(written, bool) or not isinstance(written, int | float | str):
        return None
    try:
        number = float(written)
    except (ValueError, OverflowError):
        return None
    return number / 1_000 if time.unit == "milliseconds" else number


def _parsed(text: str) -> float | None:
    """Without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
