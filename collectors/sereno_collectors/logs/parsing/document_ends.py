"""The end of a document that goes on byte by byte: the words of its message, and the head of a long one."""

from string import ascii_letters, digits
from typing import Final

import orjson
from sereno_backends.logs.words import HEAD_UNITS, LONGEST_WORD, message_head, words

BEFORE_WORDS: Final = b',"sereno":{"words":"'
END: Final = b'"}}'

SHORT: Final = HEAD_UNITS // 2
"""Messages of so many characters have no head of their own."""
_WORD_SIGNS = frozenset((ascii_letters + digits).encode())
_WORD_BYTES = bytes(byte if byte in _WORD_SIGNS else ord(" ") for byte in bytes(range(256)).lower())
"""For `bytes.translate`: ASCII letters in lower case, digits, and blanks for everything else, as in `words`."""
SPECIAL: Final = 1
PLAIN_WORD_BYTES: Final = bytes(
    SPECIAL if byte < ord(" ") or byte > ord("~") or byte == ord("\\") else sign
    for byte, sign in enumerate(_WORD_BYTES)
)
"""The same, where what isn't a printable sign of ASCII stands out, and what is an escape in JSON, too."""


def words_of(message: str) -> bytes:
    """The words, in lower case and with blanks between them."""
    if not message.isascii():
        return " ".join(words(message)).encode()
    text = message.encode().translate(_WORD_BYTES)
    return " ".join(words(message)).encode() if has_long_word(text) else text


def end_of(message: str) -> bytes:
    """What follows the words."""
    if len(message) <= SHORT:
        return END
    head = message_head(message)
    return END if head == message else b'","message_head":%b}}' % orjson.dumps(head)


def has_long_word(text: bytes) -> bool:
    """Whether there is a run of more than LONGEST_WORD signs between blanks: from blank to blank, at most that far."""
    begin, end = 0, len(text) - LONGEST_WORD
    while begin < end:
        blank = text.rfind(b" ", begin, begin + LONGEST_WORD + 1)
        if blank < 0:
            return True
        begin = blank + 1
    return False
