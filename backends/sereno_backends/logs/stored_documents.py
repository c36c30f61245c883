"""What a record looks like in Elasticsearch: ECS fields at their places, everything else below `sereno.fields`.

A document that Elasticsearch would refuse for one field's sake (an object where a keyword is mapped, a text where
other fields lie below) is stored with that field among the others.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum, auto
from functools import lru_cache
from itertools import accumulate
from typing import Any, Final, assert_never

from sereno_backends.logs.ecs import format_timestamp, lookup, parse_timestamp, without
from sereno_backends.logs.elasticsearch_template import MAPPINGS
from sereno_backends.logs.model import LogRecord
from sereno_backends.logs.words import message_head, words

CUT_TAG: Final = "_fieldscut"
"""In `tags` where `sereno.fields` does not hold all that was there; the document as it was read does."""

MOST_FIELDS: Final = 256
MOST_DEPTH: Final = 6
MOST_KEY_CHARACTERS: Final = 128
MOST_VALUE_CHARACTERS: Final = 1024
MOST_LABEL_CHARACTERS: Final = 8_000
"""Elasticsearch refuses a document for a term of more than 32,766 bytes; a character has up to four."""

# The field sets of ECS 8.17 (its reference, "ECS field reference").
FIELD_SETS: Final = frozenset(
    {
        "agent",
        "client",
        "cloud",
        "container",
        "data_stream",
        "destination",
        "device",
        "dll",
        "dns",
        "ecs",
        "email",
        "error",
        "event",
        "faas",
        "file",
        "group",
        "host",
        "http",
        "log",
        "network",
        "observer",
        "orchestrator",
        "organization",
        "package",
        "process",
        "registry",
        "related",
        "rule",
        "server",
        "service",
        "source",
        "span",
        "threat",
        "tls",
        "trace",
        "transaction",
        "url",
        "user",
        "user_agent",
        "volume",
        "vulnerability",
    }
)


def _leaves(properties: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, mapping in properties.items():
        if "properties" in mapping:
            yield from _leaves(mapping["properties"], f"{prefix}{name}.")
        else:
            yield prefix + name, mapping["type"]


_LEAVES = dict(_leaves(MAPPINGS["properties"]))
_MOST_PARTS = max(path.count(".") + 1 for path in _LEAVES)
_OBJECTS = frozenset(path[:index] for path in _LEAVES for index, sign in enumerate(path) if sign == ".")


def stored_source(record: LogRecord, original: str | None, *, changed: bool = False) -> dict[str, Any]:
    """The document with the record's fields at their ECS places.

    Args:
        record: its document may hold anything that JSON can say.
        original: the document as it was read, as JSON; kept as `sereno.document` where it had to be changed.
        changed: the record's document is another one than the original already.
    """
    source = {key: value for key, value in record.document.items() if key.partition(".")[0] != "sereno"}
    changed = changed or len(source) != len(record.document)
    for path, wanted in _ecs_fields(record):
        found = lookup(source, path)
        if found == wanted or (isinstance(wanted, datetime) and parse_timestamp(found) == wanted):
            continue
        changed = True
        source = without(source, path)
        if wanted is not None:
            source[path] = format_timestamp(wanted) if isinstance(wanted, datetime) else wanted
    leftovers: dict[str, Any] = {}
    fitting = _fitting("", source, leftovers)
    own: dict[str, Any] = {"words": " ".join(words(record.message))}
    if (head := message_head(record.message)) != record.message:
        own["message_head"] = head
    if leftovers:
        changed = True
        own["fields"] = _Bounded().of(leftovers, fitting)
    if changed and original is not None:
        own["document"] = original
    fitting["sereno"] = own
    return fitting


def _ecs_fields(record: LogRecord) -> tuple[tuple[str, datetime | str | None], ...]:
    return (
        ("@timestamp", record.timestamp),
        ("service.name", record.service),
        ("log.level", record.level),
        ("message", record.message),
        ("event.dataset", record.dataset),
        ("trace.id", record.trace_id),
        ("error.type", record.error_type),
        ("event.action", record.action),
    )


def fits(path: str, value: Any) -> bool:
    """Whether a value, which is no object with mapped fields below it, can be stored at a dotted path as it is."""
    place = _known_place(path) if len(path) <= MOST_KEY_CHARACTERS else _place(path)
    match place:
        case _Place.NONE:
            return False
        case _Place.LABELS:
            return isinstance(value, Mapping) and all(_is_label(key, text) for key, text in value.items())
        case _Place.LEAF:
            return not isinstance(value, Mapping) and (not isinstance(value, list) or all(map(_is_scalar, value)))
        case _Place.OBJECT:
            return value is None
        case _Place.SET if not isinstance(value, Mapping):
            return value is None
        case _Place.SET | _Place.UNMAPPED:
            return _is_harmless(value, MOST_DEPTH)
        case _:
            assert_never(place)


class _Place(Enum):
    """What the mapping has at a path."""

    NONE = auto()
    """Nothing can be stored there."""
    LABELS = auto()
    LEAF = auto()
    OBJECT = auto()
    """Mapped fields below it."""
    SET = auto()
    """A field set of ECS of which nothing is mapped."""
    UNMAPPED = auto()
    """A field of ECS that is kept, and not searchable."""


def _place(path: str) -> _Place:
    parts = path.split(".")
    if not all(part.strip() and "\0" not in part for part in parts):
        return _Place.NONE
    if mapped := _LEAVES.get(path):
        return _Place.LABELS if mapped == "flattened" else _Place.LEAF
    if path in _OBJECTS:
        return _Place.OBJECT
    if path in FIELD_SETS:
        return _Place.SET
    above = accumulate(parts[:-1][:_MOST_PARTS], "{}.{}".format)
    return _Place.NONE if parts[0] not in FIELD_SETS or not _LEAVES.keys().isdisjoint(above) else _Place.UNMAPPED


_known_place = lru_cache(maxsize=4096)(_place)


def _fitting(prefix: str, fields: Mapping[str, Any], leftovers: dict[str, Any]) -> dict[str, Any]:
    """The fields that can be stored at their places; the others are put into `leftovers`."""
    kept: dict[str, Any] = {}
    for key, value in fields.items():
        path = prefix + key
        if isinstance(value, Mapping) and path in _OBJECTS and key.strip("."):
            kept[key] = _fitting(f"{path}.", value, leftovers)
        elif fits(path, value):
            kept[key] = value
        else:
            leftovers[path] = value
    return kept


def _is_scalar(value: object) -> bool:
    return not isinstance(value, Mapping | list)


def _is_label(key: str, value: object) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= MOST_LABEL_CHARACTERS
        and 0 < len(key) <= MOST_KEY_CHARACTERS
        and "\0" not in key
        and bool(key.strip(". "))
    )


def _is_harmless(value: object, depth: int) -> bool:
    """Whether Elasticsearch skips the value without looking at it: no names that it can't stand, not too deep."""
    if isinstance(value, Mapping):
        return depth > 0 and all(_is_harmless(inner, depth - 1) for inner in value.values())
    return not isinstance(value, list) or (depth > 0 and all(_is_harmless(inner, depth - 1) for inner in value))


class _Bounded:
    """A copy of fields that stays below every limit of a `flattened` field."""

    def __init__(self) -> None:
        self._left = MOST_FIELDS
        self._cut = False

    def of(self, fields: Mapping[str, Any], document: dict[str, Any]) -> dict[str, Any]:
        """The copy; the document gets the tag when something was cut."""
        bounded = self._mapping(fields, MOST_DEPTH)
        if self._cut:
            tags = document.get("tags") or []
            document["tags"] = [*(tags if isinstance(tags, list) else [tags]), CUT_TAG]
        return bounded

    def _mapping(self, fields: Mapping[str, Any], depth: int) -> dict[str, Any]:
        bounded: dict[str, Any] = {}
        for key, value in fields.items():
            if self._left <= 0:
                self._cut = True
                break
            name = self._text(key.replace("\0", " "), MOST_KEY_CHARACTERS)
            bounded[name if name.strip(". ") else "_"] = self._value(value, depth - 1)
        return bounded

    def _value(self, value: Any, depth: int) -> Any:
        if _is_scalar(value):
            self._left -= 1
            return self._text(value if isinstance(value, str) else _plain_text(value), MOST_VALUE_CHARACTERS)
        if depth <= 0:
            self._cut = True
            return None
        return self._mapping(value, depth) if isinstance(value, Mapping) else self._items(value, depth)

    def _items(self, values: Sequence[Any], depth: int) -> list[Any]:
        bounded: list[Any] = []
        for value in values:
            if self._left <= 0:
                self._cut = True
                break
            bounded.append(self._value(value, depth - 1))
        return bounded

    def _text(self, text: str, most: int) -> str:
        self._cut = self._cut or len(text) > most
        return text[:most]


def _plain_text(value: object) -> str:
    """A scalar as JSON writes it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
