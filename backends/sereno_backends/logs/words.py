"""What a word of a message is, and which part of a message stands for it: one definition for every store.

The stores' own analysers disagree (is `user_id` one word or two? is `10.0.0.1`?), so that the same question would be
answered differently; hence messages are split here, before a store sees them.
"""

import re
import unicodedata

LONGEST_WORD = 128
"""Longer runs are cut; tokenisers of the stores cut or drop at 255."""

HEAD_UNITS = 1024
"""UTF-16 units of a message that count when equal messages are counted; a stack trace's end varies."""

_ASCII_WORD = re.compile(r"[a-z0-9]+")
_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> tuple[str, ...]:
    """The runs of letters and digits in a text, without case and accents, in their order.

    >>> words("Can't reach user_id=42 at café.example")
    ('can', 't', 'reach', 'user', 'id', '42', 'at', 'cafe', 'example')
    """
    if text.isascii():
        return tuple(word[:LONGEST_WORD] for word in _ASCII_WORD.findall(text.lower()))
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(sign))
    return tuple(word[:LONGEST_WORD] for word in _WORD.findall(bare))


def message_head(message: str) -> str:
    """The beginning of a message that stands for it where messages are counted; short messages are their own head."""
    if len(message) <= HEAD_UNITS // 2:
        return message
    # Counted as Elasticsearch counts its `ignore_above`: an emoji is two units.
    units = message.encode("utf-16-le")
    return message if len(units) <= 2 * HEAD_UNITS else units[: 2 * HEAD_UNITS].decode("utf-16-le", errors="ignore")
