"""The bytes of a file by their place: as they are on the disk, or as they were before gzip, bzip2 or xz."""

import bz2
import gzip
import hashlib
import lzma
import os
import zlib
from pathlib import Path
from typing import IO, Any, Protocol

from sereno_collectors.logs.model import Position

TAIL_BYTES = 64
PIECE_BYTES = 256 * 1024
KEPT_BYTES = 64 * 1024
"""What stays at hand before the place that is read: fingerprints look back, and half a line is read again."""

_OPENERS: dict[str, Any] = {".gz": gzip.GzipFile, ".bz2": bz2.BZ2File, ".xz": lzma.LZMAFile}
COMPRESSED = tuple(_OPENERS)
"""How names of compressed files end; zstd is not in Python's library before 3.14."""


class Content(Protocol):
    """What is read of an open file."""

    @property
    def size(self) -> int:
        """Bytes that are there now."""
        ...

    @property
    def modified_ns(self) -> int:
        """When it was last written."""
        ...

    @property
    def is_final(self) -> bool:
        """Whether nothing can be added any more."""
        ...

    def bytes_at(self, length: int, offset: int) -> bytes:
        """At most so many bytes from there on; fewer at the end only."""
        ...

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""
        ...


class PlainContent:
    """A file held open by its descriptor, so that neither renaming nor deleting it loses what is in it."""

    is_final = False

    def __init__(self, path: str) -> None:
        self._file = Path(path).open("rb", buffering=0)  # noqa: SIM115 - held open as long as this lives
        self._descriptor = self._file.fileno()

    @property
    def size(self) -> int:
        """See `Content`."""
        return os.fstat(self._descriptor).st_size

    @property
    def modified_ns(self) -> int:
        """See `Content`."""
        return os.fstat(self._descriptor).st_mtime_ns

    def bytes_at(self, length: int, offset: int) -> bytes:
        """See `Content`."""
        return os.pread(self._descriptor, length, offset)

    def close(self) -> None:
        """See `Content`."""
        self._file.close()


class CompressedContent:
    """A compressed file, read from front to back with a small window; going back further begins anew.

    Args:
        path: its name says how it is compressed.
        size: bytes that can be read of its content, where that is known: finding it out reads all of it.

    Raises:
        OSError: it can't be opened or read; what is wrong with its content is in `fault` instead.
    """

    is_final = True

    def __init__(self, path: str, size: int | None = None) -> None:
        self._opener = _OPENERS[Path(path).suffix]
        self._file: IO[bytes] = Path(path).open("rb")  # noqa: SIM115 - held open as long as this lives
        self._stream: Any = None
        self._window = bytearray()
        self._start = 0
        self._size = size
        self.fault: str | None = None
        """Why reading ended before the end; known when the size was asked for."""
        self.is_cut_off = False
        """The end of the file is missing: it is written at the moment, or whoever wrote it was killed."""
        self._rewind()

    @property
    def size(self) -> int:
        """Bytes that can be read before the end, or before the damage; found by reading all of it once."""
        if self._size is None:
            place = self._start
            while self._more():
                self._drop_before(self._start + len(self._window))
            self._size = self._start + len(self._window)
            if self._start > place:
                self._rewind()
        return self._size

    @property
    def modified_ns(self) -> int:
        """See `Content`: gzip and its kind give a file the time of the original."""
        return os.fstat(self._file.fileno()).st_mtime_ns

    def bytes_at(self, length: int, offset: int) -> bytes:
        """See `Content`."""
        if offset < self._start:
            self._rewind()
        end = offset + length
        while self._start + len(self._window) < end and self._more():
            self._drop_before(min(offset, self._start + len(self._window)) - KEPT_BYTES)
        begin = max(0, offset - self._start)
        return bytes(self._window[begin : begin + length])

    def close(self) -> None:
        """See `Content`."""
        self._file.close()

    def _rewind(self) -> None:
        self._file.seek(0)
        self._stream = self._opener(fileobj=self._file) if self._opener is gzip.GzipFile else self._opener(self._file)
        self._window = bytearray()
        self._start = 0

    def _more(self) -> bool:
        """Read on; False at the end, and where the rest is damaged."""
        if self._size is not None and self._start + len(self._window) >= self._size:
            return False
        piece = self._piece()
        self._window += piece
        if not piece:
            self._size = self._start + len(self._window)
        return bool(piece)

    def _piece(self) -> bytes:
        """What comes next; nothing at the end, and where the rest is damaged."""
        try:
            piece: bytes = self._stream.read1(PIECE_BYTES)
        except EOFError:
            self.fault, self.is_cut_off = "its end is missing", True
            return b""
        except (zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
            self.fault = str(error)
            return b""
        except OSError as error:
            if error.errno is not None:
                raise
            self.fault = str(error)  # bz2 says so that its data are damaged
            return b""
        if not piece and not self._start and not self._window and not os.fstat(self._file.fileno()).st_size:
            self.fault, self.is_cut_off = "it is empty", True
        return piece

    def _drop_before(self, offset: int) -> None:
        if offset > self._start:
            del self._window[: offset - self._start]
            self._start = offset


def open_content(path: str, size: int | None = None) -> Content:
    """A file's content, unpacked where its name says that it is compressed; then it may be known how much it is.

    Raises:
        OSError: it can't be opened.
    """
    return CompressedContent(path, size) if path.endswith(COMPRESSED) else PlainContent(path)


def fingerprint(content: Content, offset: int) -> str:
    """What tells the bytes just before `offset` from others; empty at the beginning of a file."""
    start = max(0, offset - TAIL_BYTES)
    return hashlib.blake2b(content.bytes_at(offset - start, start), digest_size=8).hexdigest() if offset else ""


def continues(content: Content, position: Position) -> bool:
    """Whether this file has, before the position's offset, what was read there."""
    return fingerprint(content, position.offset) == position.tail
