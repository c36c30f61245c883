"""What the services behind the gateway do alike: metrics, health, faults, and connections to the broker."""

import logging
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Gauge
from reference_system import serving
from reference_system.admin import create_admin
from reference_system.faults import FaultKind, Faults
from sereno_telemetry import instrument, log_deed

from tournaments.database import Database
from tournaments.messaging.answering import Answering, Handler
from tournaments.messaging.link import Link, Use
from tournaments.settings import ServiceSettings

_STOP_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Parts:
    """What a service is made of."""

    handlers: Mapping[str, Handler]
    """What it answers, by the question's action."""
    events: tuple[Use, ...] = ()
    """What it announces and applies, on a connection of its own: users don't wait for it."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service."""

    name: str
    """Also that of its queue."""
    schema: str
    faults: tuple[FaultKind, ...]
    parts: Callable[[ServiceSettings, Database, Faults, CollectorRegistry], Parts]


def serve(service: Service, settings: ServiceSettings, sockets: Sequence[socket.socket]) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        Unavailable: the database can't be used.
    """
    with _running(service, settings) as apps:
        logging.getLogger("tournaments").info(
            "%s answers at %s; metrics on port %d", service.name, service.name, settings.port
        )
        serving.serve(apps, sockets)


@contextmanager
def _running(service: Service, settings: ServiceSettings) -> Iterator[tuple[FastAPI, FastAPI]]:
    registry = CollectorRegistry()
    logger = logging.getLogger(f"tournaments.{service.name}")
    database = Database(settings.database_url, service.schema)
    active = Gauge("tournaments_fault_active", "1 while a fault is switched on.", ["fault"], registry=registry)
    faults = Faults(
        service.faults,
        deed=lambda action, message, labels: log_deed(logger, action, message, labels),
        changed=lambda name, on: active.labels(name).set(on),
    )
    parts = service.parts(settings, database, faults, registry)
    answering = Answering(service.name, parts.handlers, registry)
    links = [Link(settings.broker_url, "questions", answering)]
    if parts.events:
        links.append(Link(settings.broker_url, "events", *parts.events))
    app = FastAPI(title=service.name, version="1.0.0")

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    instrument(app, service=service.name, registry=registry)
    for link in links:
        link.start()
    try:
        yield app, create_admin(service.name, faults)
    finally:
        faults.stop_all()
        for link in links:
            link.stop(_STOP_SECONDS)
        database.close()
