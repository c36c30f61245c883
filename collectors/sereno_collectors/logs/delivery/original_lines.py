"""The line that a refused document was made of, where it can be known."""

import re

import orjson
from sereno_backends.logs.ecs import lookup

from sereno_collectors.logs.delivery.letter import DeadLetter
from sereno_collectors.logs.parsing.flaws import Flaw
from sereno_collectors.logs.parsing.identity import id_of_numbered

# A clean line stands at the beginning of its document, and what the collector adds behind it begins with one of these.
_ADDED = re.compile(rb',"(?:host\.name|labels|tags|log\.file\.path|log\.offset|sereno)":')


def original_line(letter: DeadLetter) -> bytes | None:
    """The line as it was read; None where nothing proves which it was.

    The id of a numbered line is a digest of it, which proves it byte by byte. Where a line had to be changed, its
    document has it as JSON; where it was no JSON, it is the message.
    """
    proven = proven_line(letter.body, letter.record.record_id)
    if proven is not None or not letter.body:
        return proven
    source = orjson.loads(letter.body)
    kept = lookup(source, "sereno.document")
    if isinstance(kept, str):
        return kept.encode()
    tags = source.get("tags")
    is_text = isinstance(tags, list) and Flaw.NOT_JSON.value in tags
    return letter.record.message.encode() if is_text else None


def proven_line(body: bytes, record_id: str) -> bytes | None:
    """The line at the beginning of a clean document whose digest the id is."""
    for found in _ADDED.finditer(body):
        line = body[: found.start()] + b"}"
        if id_of_numbered(line) == record_id:
            return line
    return None
