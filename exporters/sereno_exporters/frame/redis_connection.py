"""One connection to a Redis for one fetch: bounded in time and in bytes, whatever the server does.

redis-py bounds each read, but neither their sum nor an answer's size; so the socket below it is ours.
"""

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from redis.backoff import NoBackoff
from redis.connection import Connection, SSLConnection
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    InvalidResponse,
    NoPermissionError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.model import Target
from sereno_exporters.frame.redis_address import RedisAddress
from sereno_exporters.frame.trouble import FetchError, Reason

MOST_BYTES = 16 * 1024 * 1024
"""Of all answers to one fetch."""
_AT_ONCE = 200
"""Commands that are sent before their answers are read."""
_SHOWN = 160

Command = tuple[str | bytes | int, ...]


class _BoundedSocket:
    """A socket that is asked for no more than the time and the bytes that are left."""

    def __init__(self, inner: Any, deadline: Deadline, most_bytes: int) -> None:
        self._inner = inner
        self._deadline = deadline
        self._most_bytes = most_bytes
        self._received = 0

    def recv(self, *arguments: Any) -> bytes:
        self._inner.settimeout(self._deadline.seconds_left())
        received: bytes = self._inner.recv(*arguments)
        self._count(len(received))
        return received

    def recv_into(self, *arguments: Any) -> int:
        self._inner.settimeout(self._deadline.seconds_left())
        received: int = self._inner.recv_into(*arguments)
        self._count(received)
        return received

    def sendall(self, *arguments: Any) -> None:
        self._inner.settimeout(self._deadline.seconds_left())
        self._inner.sendall(*arguments)

    def _count(self, received: int) -> None:
        self._received += received
        if self._received > self._most_bytes:
            raise FetchError(
                Reason.TOO_LARGE,
                f"the answers are more than {self._most_bytes:,} bytes: name fewer keys, or leave out time",
            )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Plain(Connection):
    bounds: tuple[Deadline, int]

    def _connect(self) -> Any:
        return _BoundedSocket(super()._connect(), *self.bounds)  # type: ignore[no-untyped-call]


class _Tls(SSLConnection):
    bounds: tuple[Deadline, int]

    def _connect(self) -> Any:
        return _BoundedSocket(super()._connect(), *self.bounds)  # type: ignore[no-untyped-call]


class Asking:
    """Commands and their answers as they stand in the protocol: bytes, numbers, lists, None."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def one(self, *command: str | bytes | int) -> Any:
        """The answer to one command."""
        return self.all([command])[0]

    def all(self, commands: Sequence[Command]) -> list[Any]:
        """The answers to many, in order; that a key or a group is not there (any more) is None."""
        answers: list[Any] = []
        for begin in range(0, len(commands), _AT_ONCE):
            some = commands[begin : begin + _AT_ONCE]
            self._connection.send_packed_command(self._connection.pack_commands(some))  # type: ignore[no-untyped-call]
            answers.extend(self._answer(command) for command in some)
        return answers

    def _answer(self, command: Command) -> Any:
        try:
            return self._connection.read_response()
        except ResponseError as error:
            if "no such key" in str(error) or str(error).startswith("NOGROUP"):
                return None
            raise _answered(error, command) from error


@contextmanager
def connected(target: Target[Any], settings: RedisAddress, deadline: Deadline) -> Iterator[Asking]:
    """A connection that is hung up at the end.

    Raises:
        FetchError: it can't be had, or an answer doesn't come.
    """
    place = f"Redis at {settings.host}:{settings.port}"
    connection = _connection(target, settings, deadline)
    try:
        connection.connect()  # type: ignore[no-untyped-call]
        yield Asking(connection)
    except (AuthenticationError, AuthorizationError) as error:
        raise FetchError(Reason.REFUSED, f"{place} refuses us: {_shown(error)}") from error
    except ResponseError as error:
        raise _answered(error, ()) from error
    except RedisTimeoutError as error:
        raise FetchError(Reason.TIMEOUT, f"{place} does not answer in time") from error
    except InvalidResponse as error:
        raise FetchError(Reason.GARBAGE, f"{place} does not speak Redis' protocol: {_shown(error)}") from error
    except (RedisConnectionError, RedisError, OSError) as error:
        raise FetchError(Reason.UNREACHABLE, f"{place} can't be reached: {_shown(error)}") from error
    finally:
        connection.disconnect()  # type: ignore[no-untyped-call]


def _connection(target: Target[Any], settings: RedisAddress, deadline: Deadline) -> _Plain | _Tls:
    seconds = deadline.seconds_left()
    arguments: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "db": settings.database,
        "username": target.secret(settings.username_file) if settings.username_file else None,
        "password": target.secret(settings.password_file) if settings.password_file else None,
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }
    connection = _tls(target, settings, arguments) if settings.tls else _Plain(**arguments)  # type: ignore[no-untyped-call]
    connection.bounds = (deadline, MOST_BYTES)
    return connection


def _tls(target: Target[Any], settings: RedisAddress, arguments: dict[str, Any]) -> _Tls:
    if settings.ca_file is None:
        return _Tls(**arguments)
    path = target.file(settings.ca_file)
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError) as error:
        raise FetchError(Reason.CONFIGURATION, f"the certificate {path} can't be read: {error}") from error
    return _Tls(ssl_ca_certs=str(path), **arguments)


def _answered(error: ResponseError, command: Command) -> FetchError:
    """An error that the server answered, which names the key where there is one."""
    text = _shown(error)
    about = f"{_printable(command[0])} {_printable(command[1])}: " if len(command) > 1 else ""
    if isinstance(error, NoPermissionError):
        return FetchError(Reason.REFUSED, f"{about}the user may not: {text}")
    if text.startswith(("NOAUTH", "WRONGPASS", "NOPERM")):
        return FetchError(Reason.REFUSED, f"{about}{text}")
    if text.startswith(("MOVED", "ASK ")):
        return FetchError(
            Reason.CONFIGURATION, f"{about}the key is on another node of a cluster: write a target for each node"
        )
    if "DB index is out of range" in text:
        return FetchError(Reason.CONFIGURATION, "there is no database of this number")
    return FetchError(Reason.ERROR, f"{about}{text}")


def _printable(word: str | bytes | int) -> str:
    return word.decode(errors="backslashreplace") if isinstance(word, bytes) else str(word)


def _shown(error: Exception) -> str:
    return " ".join(str(error).split())[:_SHOWN] or type(error).__name__
