"""Puts a worker's parts together: the thread that consumes, its metrics, and the admin port."""

import logging
import socket
from collections.abc import Sequence

from prometheus_client import CollectorRegistry
from reference_system import serving
from reference_system.admin import create_admin
from reference_system.faults import Faults
from reference_system.serving import ADMIN_HOST, Port
from sereno_telemetry import Consumer, instrument, log_deed

from devops_events.envelope import MESSAGING_SYSTEM, QUEUE
from devops_events.figures import create_figures
from devops_events.processing.faults import KINDS
from devops_events.processing.metrics import ProcessingMetrics
from devops_events.processing.settings import Settings
from devops_events.processing.store import EventStore
from devops_events.processing.worker import Worker
from devops_events.settings import PREFIX

SERVICE = "devops-events-processing"

# The way from SIGTERM to the end stays below two seconds.
_WORKER_MAY_TAKE_SECONDS = 0.8

_logger = logging.getLogger("devops_events.processing")
# What it tells of outages, with stacks, our own records say in one line.
logging.getLogger("pika").setLevel(logging.CRITICAL)


def ports(settings: Settings) -> tuple[Port, Port]:
    """Where it listens: metrics, and faults."""
    return (
        Port(settings.host, settings.port, f"{PREFIX}PORT"),
        Port(ADMIN_HOST, settings.admin_port, f"{PREFIX}ADMIN_PORT"),
    )


def serve(settings: Settings, sockets: Sequence[socket.socket]) -> None:
    """Work until SIGTERM or SIGINT; broker and store may come later, and go."""
    registry = CollectorRegistry()
    metrics = ProcessingMetrics(registry)
    faults = Faults(
        KINDS,
        deed=lambda action, message, labels: log_deed(_logger, action, message, labels),
        changed=metrics.fault,
    )
    app = create_figures("DevOps events: processing")
    done = instrument(app, service=SERVICE, registry=registry)
    store = EventStore(settings.database)
    worker = Worker(
        settings.broker,
        store,
        consumer=Consumer(QUEUE, system=MESSAGING_SYSTEM, registry=registry, tracer_provider=done.tracer_provider),
        metrics=metrics,
        faults=faults,
    )
    worker.start()
    _logger.info("The worker's metrics are on http://%s:%d/metrics", settings.host, settings.port)
    try:
        serving.serve((app, create_admin(SERVICE, faults)), sockets)
    finally:
        faults.stop_all()
        worker.stop(_WORKER_MAY_TAKE_SECONDS)
