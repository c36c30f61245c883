"""Lines that would be too long: cut so that they still say who, when and what, and what was left out."""

from typing import Final

from sereno_telemetry.logs.document import CUT_LABEL, Document
from sereno_telemetry.logs.values import dumps

MOST_LINE_BYTES: Final = 65_536
"""Of a line with its end: one write, and no more than collectors and pipes take as one."""

_MOST_MESSAGE_BYTES = 16_384
_MOST_STACK_BYTES = 16_384
_MOST_ERROR_BYTES = 4_096
_MOST_OTHER_BYTES = 16_384
_MOST_NAMED = 16


def shrunk(message: str, document: Document) -> tuple[bytes, bytes]:
    """JSON of message and fields that fits into a line; the label `sereno_cut` names what was cut or left out."""
    cut: list[str] = []
    text = _fitting("message", message, _MOST_MESSAGE_BYTES, cut)
    fields: dict[str, object] = {}
    for key, value in document.fields.items():
        if key == "error.stack_trace" and isinstance(value, str):
            fields[key] = _fitting(key, value[::-1], _MOST_STACK_BYTES, cut)[::-1]  # its end says what happened
        elif key == "error.message" and isinstance(value, str):
            fields[key] = _fitting(key, value, _MOST_ERROR_BYTES, cut)
    room = _MOST_OTHER_BYTES
    for key, value in document.fields.items():
        if key in fields or key == "labels":
            continue
        room -= _size(key, value)
        if room < 0:
            cut.append(key)
        else:
            fields[key] = value
    labels: dict[str, str] = {}
    for key, label in document.labels.items():
        room -= _size(key, label)
        if room < 0:
            cut.append(f"labels.{key}")
        else:
            labels[key] = label
    names = ", ".join(name[:64] for name in cut[:_MOST_NAMED])
    labels[CUT_LABEL] = f"{names} and {len(cut) - _MOST_NAMED} more" if len(cut) > _MOST_NAMED else names
    return dumps(text), b"," + dumps(fields | {"labels": labels})[1:-1]


def _size(key: str, value: object) -> int:
    return len(dumps(key)) + len(dumps(value)) + 2


def _fitting(name: str, text: str, most_bytes: int, cut: list[str]) -> str:
    size = len(dumps(text))
    if size <= most_bytes:
        return text
    cut.append(name)
    while size > most_bytes:
        text = text[: min(len(text) * most_bytes // size, len(text) - 1)]
        size = len(dumps(text))
    return text
