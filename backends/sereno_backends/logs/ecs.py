"""Reading ECS documents, whichever way their keys are spelled: `{"log.level": …}` or `{"log": {"level": …}}`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The instants that Elasticsearch's `date_nanos` can hold; both stores keep to them, so that a record that one takes
# is taken by the other, too.
EARLIEST, LATEST = EPOCH, datetime(2262, 1, 1, tzinfo=UTC)


def lookup(document: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path, in any mixture of dotted and nested keys; None when there is none."""
    if path in document:
        return document[path]
    for above, below in _parts(path):
        inner = document.get(above)
        if inner is not None and isinstance(inner, Mapping):
            found = lookup(inner, below)
            if found is not None:
                return found
    return None


def source_of(document: Mapping[str, Any]) -> str | None:
    """Who wrote the line: `service.node.name`, where it is a text."""
    found = lookup(document, "service.node.name")
    return found if isinstance(found, str) else None


def sequence_of(document: Mapping[str, Any]) -> int | None:
    """The line's number among its source's lines: `event.sequence`, where it is a whole number from 1."""
    found = lookup(document, "event.sequence")
    return found if isinstance(found, int) and not isinstance(found, bool) and 1 <= found < 2**63 else None


def without(document: Mapping[str, Any], path: str) -> dict[str, Any]:
    """A copy of the document that has nothing at the dotted path, however it was spelled."""
    kept = {key: value for key, value in document.items() if key != path}
    for above, below in _parts(path):
        inner = kept.get(above)
        if inner is not None and isinstance(inner, Mapping):
            kept[above] = without(inner, below)
    return kept


@lru_cache(maxsize=1024)
def _parts(path: str) -> tuple[tuple[str, str], ...]:
    """What is before and behind each dot of a path; paths are asked for by name, not by what a line holds."""
    dots = (index for index, character in enumerate(path) if character == ".")
    return tuple((path[:dot], path[dot + 1 :]) for dot in dots)


def parse_timestamp(value: Any) -> datetime | None:
    """The UTC instant that an ECS `@timestamp` names, to the microsecond; None when it names none that a store keeps.

    Strings are ISO 8601 (without a zone: UTC, as Elasticsearch reads them), numbers are milliseconds since 1970.
    """
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            moment = datetime.fromtimestamp(value / 1000, tz=UTC)
        else:
            return None
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if EARLIEST <= moment < LATEST else None


def format_timestamp(moment: datetime) -> str:
    """An aware instant as RFC 3339 in UTC: with milliseconds, or with microseconds where it has them."""
    precision = "milliseconds" if moment.microsecond % 1000 == 0 else "microseconds"
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")
