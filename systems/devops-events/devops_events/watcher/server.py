"""Puts the watcher's parts together: what it asks and hears in a thread, and its metrics."""

import asyncio
import logging
import socket
import time
from collections.abc import Sequence

from prometheus_client import CollectorRegistry
from reference_system import serving
from reference_system.program import Unavailable
from reference_system.serving import Port
from sereno_telemetry import instrument

from devops_events.background import Background
from devops_events.figures import create_figures
from devops_events.settings import LOOPBACK, PREFIX
from devops_events.watcher.answers import Answers
from devops_events.watcher.asking import Nodes, Store, watch
from devops_events.watcher.lateness import Lateness
from devops_events.watcher.settings import Settings

SERVICE = "devops-events-watcher"

_MAY_TAKE_SECONDS = 0.8
_RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
"""Lines of the gateway wait here while the watcher is busy; what doesn't fit is lost."""

_logger = logging.getLogger("devops_events.watcher")


def ports(settings: Settings) -> tuple[Port]:
    """Where it listens for Prometheus."""
    return (Port(settings.host, settings.port, f"{PREFIX}PORT"),)


def serve(settings: Settings, sockets: Sequence[socket.socket]) -> None:
    """Watch until SIGTERM or SIGINT; nodes and store may come later, and go.

    Raises:
        Unavailable: the port for the gateway's lines is taken.
    """
    registry = CollectorRegistry()
    app = create_figures("DevOps events: watcher")
    instrument(app, service=SERVICE, registry=registry)
    answers = Answers(registry)
    nodes, store = Nodes(settings.nodes, registry), Store(settings.database)
    lateness = Lateness(registry, time.time)
    with _bound(settings.answers_port) as listener:

        async def work(stopping: asyncio.Event) -> None:
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(lambda: answers, sock=listener)
            try:
                await watch(nodes, store, lateness, stopping)
            finally:
                transport.close()

        background = Background("watcher", work)
        background.start()
        _logger.info("The watcher's metrics are on http://%s:%d/metrics", settings.host, settings.port)
        try:
            serving.serve((app,), sockets)
        finally:
            background.stop(_MAY_TAKE_SECONDS)


def _bound(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        listener.bind((LOOPBACK, port))
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"port {port} (UDP) can't be listened on ({error.strerror}): set {PREFIX}ANSWERS_PORT to a free one"
        ) from error
    listener.settimeout(0)
    return listener
