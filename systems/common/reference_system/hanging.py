"""A PostgreSQL that hangs answers nothing, not even its own statement_timeout: then our end is hung up.

For a server that is frozen, or gone without a word (no route, a stopped virtual machine), a client otherwise waits as
long as the kernel lets it: for ever.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg


@contextmanager
def hung_up_in_time(connection: psycopg.Connection[Any], seconds: float) -> Iterator[None]:
    """After so many seconds in the block, whoever waits for the server's answer gets `psycopg.OperationalError`.

    The connection is broken then, and is to be closed. What the server made of the statement isn't known.
    """
    timer = threading.Timer(seconds, _hang_up, (connection,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _hang_up(connection: psycopg.Connection[Any]) -> None:
    # Not close(): the thread that waits holds libpq, and has to be told by its socket.
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as ours:
        ours.shutdown(socket.SHUT_RDWR)
