"""Puts the gateway's parts together and serves them."""

import logging
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Gauge
from reference_system import serving
from reference_system.admin import create_admin
from reference_system.disturbance import Disturbance
from reference_system.faults import Faults, Switch
from reference_system.program import Unavailable
from sereno_telemetry import instrument, log_deed

from tournaments.gateway.app import Gateway, break_seating_plan, create_app
from tournaments.gateway.cache import Cache
from tournaments.gateway.faults import CONNECTIONS_LEAKED, KINDS, LEAKED_CONNECTIONS, SECRET_ROTATED
from tournaments.messaging.asking import Asking
from tournaments.messaging.link import Link
from tournaments.settings import GatewaySettings
from tournaments.tokens import read_secret

SERVICE = "tournaments"
_STOP_SECONDS = 0.5

_logger = logging.getLogger("tournaments.gateway")


def serve(settings: GatewaySettings, sockets: Sequence[socket.socket]) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        Unavailable: the secret can't be read.
    """
    with _running(settings) as apps:
        _logger.info("the gateway listens on http://%s:%d", settings.host, settings.port)
        serving.serve(apps, sockets)


@contextmanager
def _running(settings: GatewaySettings) -> Iterator[tuple[FastAPI, FastAPI]]:
    try:
        secret = read_secret(settings.secret_file)
    except OSError as error:
        raise Unavailable(f"the secret {settings.secret_file} can't be read: {error.strerror}") from error
    registry = CollectorRegistry()
    other_secret = secrets.token_urlsafe(48)
    active = Gauge("tournaments_fault_active", "1 while a fault is switched on.", ["fault"], registry=registry)
    cache = Cache(settings.redis_url, registry)
    asking = Asking(registry)
    link = Link(settings.broker_url, "questions", asking)
    asking.over(link)
    faults = Faults(
        KINDS,
        deed=lambda action, message, labels: log_deed(_logger, action, message, labels),
        switches={
            CONNECTIONS_LEAKED.name: Switch(
                on=lambda: cache.take_connections(LEAKED_CONNECTIONS), off=cache.give_connections_back
            ),
        },
        changed=lambda name, on: active.labels(name).set(on),
    )
    gateway = Gateway(
        asking,
        cache,
        lambda: secret if faults.active(SECRET_ROTATED) is None else other_secret,
        settings.answer_within_ms / 1000,
        registry,
    )
    app = create_app(gateway, Disturbance(faults, break_seating_plan))
    instrument(app, service=SERVICE, registry=registry)
    link.start()
    try:
        yield app, create_admin(SERVICE, faults)
    finally:
        faults.stop_all()
        link.stop(_STOP_SECONDS)
        cache.close()
