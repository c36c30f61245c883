"""What every program of this system has: where it listens, its metrics, its faults, and how it is served."""

import logging
import socket
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Gauge
from pydantic import BaseModel
from reference_system import serving
from reference_system.admin import create_admin
from reference_system.faults import FaultKind, Faults
from reference_system.serving import ADMIN_HOST, Port
from reference_system.settings import Variables
from sereno_telemetry import instrument_clients, log_deed

_logger = logging.getLogger("fitness")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a program listens and logs."""

    host: str
    """Where the API listens; the admin port is always on 127.0.0.1."""
    port: int
    admin_port: int
    log_file: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What every program is told."""

    place: Place
    prefix: str
    unknown: tuple[str, ...]
    """Warnings about variables with the program's prefix that mean nothing to it."""

    @property
    def log_file(self) -> Path | None:
        """ECS JSON lines go here; None is stderr."""
        return self.place.log_file

    def ports(self) -> tuple[Port, Port]:
        """The API's and that of faults."""
        return (
            Port(self.place.host, self.place.port, f"{self.prefix}PORT"),
            Port(ADMIN_HOST, self.place.admin_port, f"{self.prefix}ADMIN_PORT"),
        )


class Health(BaseModel):
    """Answer to GET /health: the process answers. Whether it does its work is what its SLOs say."""

    status: str = "ok"


@dataclass(frozen=True, slots=True)
class Watched:
    """Where a program's metrics are, and which of its faults are on."""

    registry: CollectorRegistry
    faults: Faults


def read_place(given: Variables, port: int) -> Place:
    """HOST, PORT, ADMIN_PORT and LOG_FILE; `port` is the usual one, the admin port's is one more."""
    own, admin = given.port("PORT", port), given.port("ADMIN_PORT", port + 1)
    given.different(PORT=own, ADMIN_PORT=admin)
    return Place(given.text("HOST", "127.0.0.1"), own, admin, given.path_or_none("LOG_FILE"))


@contextmanager
def watched(kinds: Sequence[FaultKind], *, clients: Collection[str] = ()) -> Iterator[Watched]:
    """Metrics of this program and of the client libraries that are named; at the end every fault is off."""
    registry = CollectorRegistry()
    instrumented = instrument_clients(registry=registry, libraries=clients)
    active = Gauge("fitness_fault_active", "1 while a fault is switched on.", ["fault"], registry=registry)
    faults = Faults(
        kinds,
        deed=lambda action, message, labels: log_deed(_logger, action, message, labels),
        changed=lambda name, on: active.labels(name).set(on),
    )
    try:
        yield Watched(registry, faults)
    finally:
        for refusal in faults.stop_all():
            _logger.error("At the end of the process: %s", refusal)
        instrumented.uninstrument()


def serve(service: str, settings: Settings, sockets: Sequence[socket.socket], api: FastAPI, faults: Faults) -> None:
    """Serve the API and the admin port until SIGTERM or SIGINT."""
    place = settings.place
    _logger.info(
        "%s listens on http://%s:%d, faults on http://%s:%d/faults",
        service,
        place.host,
        place.port,
        ADMIN_HOST,
        place.admin_port,
    )
    serving.serve((api, create_admin(service, faults)), sockets)


def add_health(app: FastAPI) -> None:
    """GET /health."""

    @app.get("/health")
    async def health() -> Health:
        return Health()


Environment = Mapping[str, str]
Clock = Callable[[], float]
"""Seconds since the epoch."""
