"""A program from its start to its exit code.

Exit codes: 0 stopped as told, 2 a variable is wrong, 3 something outside that it needs can't be opened.
"""

import logging
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from sereno_telemetry import configure_logging

from reference_system.serving import Port, PortTaken, listen
from reference_system.settings import WrongSettings

OK = 0
WRONG_SETTINGS = 2
UNREACHABLE = 3


class Settings(Protocol):
    """What every program is told."""

    @property
    def log_file(self) -> Path | None:
        """ECS JSON lines go here; None is stderr."""
        ...

    @property
    def unknown(self) -> tuple[str, ...]:
        """Warnings about variables that mean nothing."""
        ...


SettingsT = TypeVar("SettingsT", bound=Settings)


class Unavailable(Exception):  # noqa: N818 - reads as what happened
    """Something that the program needs could not do what it was asked; the message names the cause."""


def run(
    service: str,
    settings: SettingsT | WrongSettings,
    ports: Callable[[SettingsT], Sequence[Port]],
    serve: Callable[[SettingsT, Sequence[socket.socket]], None],
) -> int:
    """Take the ports, begin to log, serve until told to stop; the exit code.

    `serve` may raise `Unavailable` at its start, which ends the program with the message.
    """
    if isinstance(settings, WrongSettings):
        return _failed(service, *settings.mistakes, code=WRONG_SETTINGS)
    sockets = listen(ports(settings))
    if isinstance(sockets, PortTaken):
        return _failed(service, str(sockets), code=UNREACHABLE)
    try:
        configure_logging(service, path=settings.log_file)
    except OSError as error:
        return _failed(service, f"the log file {settings.log_file} can't be opened: {error.strerror}", code=UNREACHABLE)
    for warning in settings.unknown:
        logging.getLogger("reference_system").warning(warning)
    try:
        serve(settings, sockets)
    except Unavailable as error:
        return _failed(service, str(error), code=UNREACHABLE)
    return OK


def _failed(service: str, *messages: str, code: int) -> int:
    for message in messages:
        sys.stderr.write(f"{service}: {message}\n")
    return code
