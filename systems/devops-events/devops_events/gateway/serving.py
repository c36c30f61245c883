"""Becomes nginx, or serves without it."""

import logging
import os
import socket
from collections.abc import Sequence

from reference_system import serving
from reference_system.program import Unavailable
from reference_system.serving import Port, PortTaken, listen

from devops_events.gateway.nginx import program, write_configuration
from devops_events.gateway.settings import Settings
from devops_events.gateway.turns import create_turns
from devops_events.settings import PREFIX

SERVICE = "devops-events-gateway"

_logger = logging.getLogger("devops_events.gateway")


def serve(settings: Settings, _sockets: Sequence[socket.socket]) -> None:
    """Never returns where there is nginx: this process is it from then on, and has its exit code.

    Raises:
        Unavailable: the configuration can't be written, nginx can't be started, or the port is taken.
    """
    nginx = program(settings)
    if nginx is None:
        _without(settings)
        return
    try:
        configuration = write_configuration(settings)
        folder = str(configuration.parent)
        os.execv(nginx, [nginx, "-c", str(configuration), "-p", folder, "-e", "stderr"])  # noqa: S606 - no shell
    except OSError as error:
        raise Unavailable(f"nginx can't be started by {nginx} in {settings.files}: {error.strerror}") from error


def _without(settings: Settings) -> None:
    _logger.warning("There is no nginx here: a small program takes its place, for trying things out only")
    sockets = listen((Port(settings.host, settings.port, f"{PREFIX}PORT"),))
    if isinstance(sockets, PortTaken):
        raise Unavailable(str(sockets))
    serving.serve((create_turns(settings),), sockets)
