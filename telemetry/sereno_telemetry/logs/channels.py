"""Ways to write to an open file descriptor without ever waiting for who reads it."""

import contextlib
import io
import os
import select
import socket
import stat
from typing import Protocol, TextIO


class Channel(Protocol):
    """Where bytes go. It owns its descriptor: nobody else closes it."""

    never_blocks: bool
    """Whether `write` returns at once, always."""

    def write(self, data: bytes) -> int:
        """Write some of `data`: how many bytes.

        Raises:
            BlockingIOError: nothing can be written now.
            OSError: nothing can be written.
        """

    def wait(self, seconds: float) -> None:
        """Wait until something can be written, at most so long."""

    def close(self) -> None:
        """Give the descriptor back."""


class DescriptorChannel:
    """Files, pipes and terminals."""

    def __init__(self, descriptor: int, *, never_blocks: bool) -> None:
        self.never_blocks = never_blocks
        self._descriptor = descriptor

    def write(self, data: bytes) -> int:
        """Write some of `data`."""
        return os.write(self._descriptor, data)

    def wait(self, seconds: float) -> None:
        """Wait until something can be written."""
        _wait(self._descriptor, seconds)

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._descriptor)


class SocketChannel:
    """Sockets, such as the stderr of a systemd service: each call says that it doesn't want to wait."""

    never_blocks = True

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)

    def write(self, data: bytes) -> int:
        """Write some of `data`."""
        return self._socket.send(data, socket.MSG_DONTWAIT)

    def wait(self, seconds: float) -> None:
        """Wait until something can be written."""
        _wait(self._socket.fileno(), seconds)

    def close(self) -> None:
        """Give the descriptor back."""
        self._socket.close()


def descriptor_of(stream: TextIO | None) -> int | None:
    """The descriptor that a text stream writes to as it is; None for streams in memory, compressed and the like."""
    buffer = getattr(stream, "buffer", None)
    if not isinstance(getattr(buffer, "raw", buffer), io.FileIO) or stream is None:
        return None
    with contextlib.suppress(OSError, ValueError):
        stream.flush()
        return stream.fileno()
    return None


def open_channel(descriptor: int) -> Channel:
    """A channel to what `descriptor` is open for; the descriptor itself stays the caller's.

    Whether writes wait is a property of the open file, which pipes and terminals share with other processes: those are
    opened once more, for us alone. Where that is impossible, writes may wait, and belong into a thread of their own.

    Raises:
        OSError: the descriptor isn't open.
    """
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISSOCK(mode):
        return SocketChannel(os.dup(descriptor))
    if not stat.S_ISFIFO(mode) and not os.isatty(descriptor):
        return DescriptorChannel(os.dup(descriptor), never_blocks=True)  # the system's cache takes it
    flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        return DescriptorChannel(os.open(f"/proc/self/fd/{descriptor}", flags), never_blocks=True)
    except OSError:  # no /proc, another user's pipe, or no reader yet
        return DescriptorChannel(os.dup(descriptor), never_blocks=False)


def _wait(descriptor: int, seconds: float) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    poll.poll(int(seconds * 1000))
