"""What listens where the database should be may do anything: it costs the part's time, and is told."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from support.sql_exporter import scraped, write_secrets

TARGET = """\
      shop:
        dialect: {dialect}
        host: 127.0.0.1
        port: {port}
        database: shop
        username_file: user
        password_file: password
        timeout: 600ms
        rows: [{{table: orders}}]
"""
LONGEST_SECONDS = 4.0
"""libpq knows no timeout of less than 2 s, and there may be a second try."""


def hangs(client: socket.socket, ended: threading.Event) -> None:
    """Accepts, and says nothing."""
    ended.wait(LONGEST_SECONDS)
    client.close()


def drips(client: socket.socket, ended: threading.Event, beginning: bytes = b"") -> None:
    """A byte now and then, so that no single wait is long."""
    client.sendall(beginning)
    while not ended.wait(0.05):
        client.sendall(b"\x50")


def drips_like_postgresql(client: socket.socket, ended: threading.Event) -> None:
    """No TLS here, and the beginning of a long question for the password."""
    drips(client, ended, b"NR\x00\x00\x07\xd0")


def drips_like_mysql(client: socket.socket, ended: threading.Event) -> None:
    """The beginning of the longest greeting that there can be."""
    drips(client, ended, b"\xff\xff\xff\x00")


def floods(client: socket.socket, ended: threading.Event) -> None:
    """As much as anybody reads."""
    while not ended.is_set():
        client.sendall(b"HTTP/1.1 200 OK\r\n" * 1_000)


def answers_something_else(client: socket.socket, _: threading.Event) -> None:
    """A web server: what it says is no database's."""
    client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    client.close()


def hangs_up(client: socket.socket, _: threading.Event) -> None:
    """At once."""
    client.close()


@contextmanager
def listening(behave: Callable[[socket.socket, threading.Event], None]) -> Iterator[int]:
    """A port of loopback where everybody is treated so; it ends with the block."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        threads: list[threading.Thread] = []

        def serve(client: socket.socket) -> None:
            with client, suppress(OSError):
                behave(client, ended)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = server.accept()
                    threads.append(threading.Thread(target=serve, args=(client,), daemon=True))
                    threads[-1].start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield server.getsockname()[1]
        finally:
            ended.set()
            server.shutdown(socket.SHUT_RDWR)
            for thread in (accepting, *threads):
                thread.join(5)


BEHAVIOURS = [hangs, drips, drips_like_postgresql, drips_like_mysql, floods, answers_something_else, hangs_up]


@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
@pytest.mark.parametrize("behave", BEHAVIOURS)
def test_whatever_listens_there_the_part_fails_in_time(
    tmp_path: Path, dialect: str, behave: Callable[[socket.socket, threading.Event], None]
) -> None:
    """The target is down with a reason that is no bug of ours, and the thread that asked has ended soon after."""
    write_secrets(tmp_path, {"user": "u", "password": "never told"})
    with listening(behave) as port:
        begun = time.monotonic()
        found = scraped(TARGET.format(dialect=dialect, port=port), tmp_path)
        assert found.value("sereno_sql_up") == 0
        reason, message = found.failure("rows_orders")
        assert reason in {"timeout", "unreachable", "garbage", "configuration"}, message
        assert "never told" not in message
        while any(thread.name.startswith("fetch") for thread in threading.enumerate()):
            assert time.monotonic() - begun < LONGEST_SECONDS, message
            time.sleep(0.02)
