"""The fields of one record beyond those of every line: no two of them in each other's way."""

from collections.abc import Mapping
from typing import Final

from sereno_telemetry.logs.values import MOST_FIELDS, MOST_LABELS, Values, dumps, text_of

HEAD_FIELDS: Final = (
    "@timestamp",
    "log.level",
    "message",
    "ecs.version",
    "service.name",
    "service.node.name",
    "event.dataset",
    "process.pid",
    "event.sequence",
    "log.logger",
)
"""What every line begins with, in this order."""

CUT_LABEL: Final = "sereno_cut"
"""The label that says what was left out of a line."""

BOUND_ATTRIBUTE: Final = "_sereno_bound"
"""Where a record of structlog has what was bound: names of its own attributes are free for callers there."""

# The field sets of ECS 8.17: an extra with a dotted name that begins with one of these is an ECS field, not a label.
_FIELD_SETS = frozenset(
    """
    agent as client cloud code_signature container data_stream destination device dll dns ecs elf email error event
    faas file geo group hash host http interface log macho network observer orchestrator organization os package pe
    process registry related risk rule server service source span threat tls trace transaction url user user_agent
    vlan volume vulnerability x509
    """.split()  # noqa: SIM905 - forty lines otherwise
)

# What the specification of ECS loggers, or Sereno's collectors, rely on being text.
_TEXTS = frozenset(
    {"trace.id", "span.id", "transaction.id", "error.type", "error.message", "error.stack_trace", "event.action"}
)


def _parents(key: str) -> list[str]:
    """`a` and `a.b` of `a.b.c`."""
    parts = key.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


_HEAD_PARENTS = frozenset(parent for field in HEAD_FIELDS for parent in _parents(field))


class Document:
    """Collects fields and labels of one record; what came first stays."""

    __slots__ = ("_left_out", "_parents", "_values", "fields", "labels")

    def __init__(self, values: Values) -> None:
        self.fields: dict[str, object] = {}
        self.labels: dict[str, str] = {}
        self._values = values
        self._parents: set[str] | None = None
        self._left_out = 0

    def put(self, fields: Mapping[str, object]) -> None:
        """Take fields that are safe already and in nobody's way."""
        self.fields.update(fields)

    def add_extras(self, extras: Mapping[str, object]) -> None:
        """Take what a caller gave beside the message: ECS fields by their dotted names, all else as labels."""
        for key, value in extras.items():
            if value is None:
                continue
            name = text_of(key)
            if "." in name and name.partition(".")[0] in _FIELD_SETS:
                self.add_fields({name: value})
            else:
                self._add_label(name, value)

    def add_given(self, labels: object, fields: object) -> None:
        """Take `extra={"labels": …, "ecs": …}`; what has another form than a mapping is a label."""
        for name, given in (("labels", labels), ("ecs", fields)):
            if given is not None and not isinstance(given, Mapping):
                self._add_label(name, given)
        if isinstance(labels, Mapping):
            self._add_labels(labels)
        if isinstance(fields, Mapping):
            try:
                self.add_fields(fields)
            except Exception:  # noqa: BLE001 - a mapping whose own methods raise
                self._left_out += 1

    def add_fields(self, given: Mapping[object, object]) -> None:
        """Take ECS fields, dotted or nested; those that would change what a line says of itself become labels."""
        fields, left_out = self._values.fields(given)
        self._left_out += left_out
        for key, value in fields.items():
            root, _, below = key.partition(".")
            if root == "labels":
                self._add_label(below or root, value)
            elif key in HEAD_FIELDS or key in self.fields:
                continue  # the identity of a line is not the caller's
            elif len(self.fields) >= MOST_FIELDS:
                self._left_out += 1
            elif self._is_in_the_way(key):
                self._add_label(key, value)
            else:
                self._put(key, value)

    def json(self) -> bytes:
        """The fields as JSON, to follow those that every line has."""
        if self._left_out:
            self.labels[CUT_LABEL] = f"about {self._left_out} labels or fields"
        if self.labels:
            self.fields["labels"] = self.labels
        return b"," + dumps(self.fields)[1:-1] if self.fields else b""

    def _put(self, key: str, value: object) -> None:
        if key in _TEXTS and not isinstance(value, str):
            value = self._values.text(text_of(value))
        if key == "tags" and not isinstance(value, list):
            value = [value]
        self.fields[key] = value
        if self._parents is not None:
            self._parents.update(_parents(key))

    def _is_in_the_way(self, key: str) -> bool:
        """Whether `key` would be an object where a value is, or the reverse: Elasticsearch refuses such lines."""
        if self._parents is None:
            self._parents = {parent for field in self.fields for parent in _parents(field)}
        if not key or key in _HEAD_PARENTS or key in self._parents:
            return True
        return any(parent in HEAD_FIELDS or parent in self.fields for parent in _parents(key))

    def _add_labels(self, labels: Mapping[object, object]) -> None:
        try:
            for key, value in labels.items():
                if len(self.labels) >= MOST_LABELS:
                    self._left_out += len(labels)
                    return
                if value is not None:
                    self._add_label(text_of(key), value)
        except Exception:  # noqa: BLE001 - a mapping whose own methods raise
            self._left_out += 1

    def _add_label(self, key: str, value: object) -> None:
        if len(self.labels) >= MOST_LABELS:
            self._left_out += 1
            return
        name, text = self._values.label(key, value)
        self.labels[name.translate(_NO_NESTING) or "_"] = text


_NO_NESTING = str.maketrans(dict.fromkeys(".*\\", "_"))  # the specification of ECS loggers: labels.sanitization
