"""Reading what a client sends, bounded in bytes and in time."""

import io
import re
import socket
import time
from collections.abc import Callable
from email.message import Message

_ANSWER_SECONDS = 5.0
"""How long a client may take to receive a part of an answer."""
_CHUNK_HEAD_BYTES = 256
_CHUNK_SIZE = re.compile(rb"\s*([0-9A-Fa-f]{1,8})\s*(?:;.*)?\r?\n")
_LENGTH = re.compile(r"\d{1,18}", re.ASCII)


class BadBody(Exception):  # noqa: N818 - reads as what happened
    """The headers and the body don't go together, or the length isn't told."""


class BodyTooLarge(Exception):  # noqa: N818
    """The body is longer than allowed."""


class SocketInTime(io.RawIOBase):
    """What a socket receives, until a deadline: a client that sends a byte now and then can't stay for ever.

    Args:
        connection: the socket.
        monotonic: seconds that only grow.
    """

    def __init__(self, connection: socket.socket, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._connection = connection
        self._monotonic = monotonic
        self._deadline = 0.0

    def allow(self, seconds: float) -> None:
        """Set the deadline so far from now."""
        self._deadline = self._monotonic() + seconds

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # what BufferedReader hands over
        """Receive.

        Raises:
            TimeoutError: the deadline is over.
        """
        left = self._deadline - self._monotonic()
        if left <= 0:
            raise TimeoutError("the client is too slow")
        self._connection.settimeout(left)
        try:
            return self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(_ANSWER_SECONDS)


def read_body(stream: io.BufferedIOBase, headers: Message, most_bytes: int) -> bytes:
    """The body of a request.

    Raises:
        BadBody: it is cut off, or its length is told wrongly, twice or not at all.
        BodyTooLarge: it is longer than `most_bytes`.
        TimeoutError: the client is too slow.
    """
    encodings, lengths = headers.get_all("Transfer-Encoding", []), headers.get_all("Content-Length", [])
    if encodings:
        if [encoding.strip().lower() for encoding in encodings] != ["chunked"] or lengths:
            raise BadBody("Transfer-Encoding may be chunked only, and without a Content-Length")
        return _read_chunked(stream, most_bytes)
    if len(lengths) != 1 or not _LENGTH.fullmatch(lengths[0].strip()):
        raise BadBody("one Content-Length is needed")
    length = int(lengths[0])
    if length > most_bytes:
        raise BodyTooLarge
    return _read_exactly(stream, length)


def _read_chunked(stream: io.BufferedIOBase, most_bytes: int) -> bytes:
    body = bytearray()
    while True:
        head = _CHUNK_SIZE.fullmatch(stream.readline(_CHUNK_HEAD_BYTES))
        if head is None:
            raise BadBody("the length of a chunk is missing")
        length = int(head[1], 16)
        if len(body) + length > most_bytes:
            raise BodyTooLarge
        body += _read_exactly(stream, length)
        if stream.readline(_CHUNK_HEAD_BYTES) not in (b"\r\n", b"\n"):  # trailers aren't taken: no exporter sends any
            raise BadBody("the end of a chunk is missing")
        if length == 0:
            return bytes(body)


def _read_exactly(stream: io.BufferedIOBase, length: int) -> bytes:
    data = stream.read(length)
    if len(data) != length:
        raise BadBody("the body is cut off")
    return data
