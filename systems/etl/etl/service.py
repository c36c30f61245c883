"""What all programs of the pipeline do alike: ports, telemetry, faults, a worker that ends with the process."""

import logging
import socket
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from fastapi import FastAPI
from opentelemetry.trace import TracerProvider
from prometheus_client import CollectorRegistry, Gauge
from pydantic import BaseModel
from reference_system import serving
from reference_system.admin import create_admin
from reference_system.faults import FaultKind, Faults
from reference_system.serving import ADMIN_HOST, Port
from sereno_telemetry import instrument, log_deed

from etl.connections import Connections
from etl.settings import PREFIX, Settings

_logger = logging.getLogger("etl")


class Health(BaseModel):
    """Answer to GET /health: the process answers. Whether it does its work is what the SLOs say."""

    status: str = "ok"


@dataclass(frozen=True, slots=True)
class Parts:
    """What a program is given to be built of."""

    settings: Settings
    app: FastAPI
    registry: CollectorRegistry
    connections: Connections
    faults: Faults
    tracer_provider: TracerProvider | None


Build = Callable[[Parts], AbstractContextManager[None]]
"""Adds routes to the app, and runs whatever works beside it while the block lasts."""


def ports(settings: Settings) -> tuple[Port, Port]:
    """Where a program listens: its API, and faults."""
    return (
        Port(settings.host, settings.port, f"{PREFIX}PORT"),
        Port(ADMIN_HOST, settings.admin_port, f"{PREFIX}ADMIN_PORT"),
    )


def serve(
    name: str, kinds: Sequence[FaultKind], build: Build, settings: Settings, sockets: Sequence[socket.socket]
) -> None:
    """Serve until SIGTERM or SIGINT; at the end every fault is off."""
    registry = CollectorRegistry()
    fault_active = Gauge("etl_fault_active", "1 while a fault is switched on.", ["fault"], registry=registry)
    faults = Faults(
        kinds,
        deed=lambda action, message, labels: log_deed(_logger, action, message, labels),
        changed=lambda fault, on: fault_active.labels(fault).set(on),
    )
    app = FastAPI(title=name, version="1.0.0")

    @app.get("/health")
    async def health() -> Health:
        return Health()

    done = instrument(app, service=name, registry=registry)
    parts = Parts(settings, app, registry, Connections(registry), faults, done.tracer_provider)
    with build(parts):
        _logger.info(
            "%s listens on http://%s:%d, faults on http://%s:%d/faults",
            name,
            settings.host,
            settings.port,
            ADMIN_HOST,
            settings.admin_port,
        )
        try:
            serving.serve((app, create_admin(name, faults)), sockets)
        finally:
            for refusal in faults.stop_all():
                _logger.error("At the end of the process: %s", refusal)
