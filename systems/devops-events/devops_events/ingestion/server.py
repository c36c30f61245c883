"""Puts a node's parts together and serves them: webhooks, and the admin port, in one process."""

import logging
import socket
from collections.abc import Sequence
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry
from reference_system import serving
from reference_system.admin import create_admin
from reference_system.disturbance import Disturbance
from reference_system.faults import Faults
from reference_system.serving import ADMIN_HOST, Port
from sereno_telemetry import instrument, log_deed

from devops_events.ingestion.accepted import Accepted, serve_accepted
from devops_events.ingestion.app import Parts, create_app
from devops_events.ingestion.claims import Claims
from devops_events.ingestion.faults import KINDS, confirms_lost, read_vault
from devops_events.ingestion.metrics import IngestionMetrics
from devops_events.ingestion.publisher import Publisher
from devops_events.ingestion.settings import Settings
from devops_events.platforms import sources
from devops_events.settings import PREFIX
from devops_events.shared_secrets import make_missing

SERVICE = "devops-events-ingestion"

_logger = logging.getLogger("devops_events.ingestion")
# What it tells of outages, our own records say in one line.
logging.getLogger("aiormq").setLevel(logging.CRITICAL)


def ports(settings: Settings) -> tuple[Port, Port]:
    """Where it listens: webhooks, and faults."""
    return (
        Port(settings.host, settings.port, f"{PREFIX}PORT"),
        Port(ADMIN_HOST, settings.admin_port, f"{PREFIX}ADMIN_PORT"),
    )


def serve(settings: Settings, sockets: Sequence[socket.socket]) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        SecretsUnavailable: the platforms' secrets can't be made.
    """
    make_missing(settings.secrets)
    registry = CollectorRegistry()
    metrics = IngestionMetrics(registry)
    faults = Faults(
        KINDS,
        deed=lambda action, message, labels: log_deed(_logger, action, message, labels),
        changed=metrics.fault,
    )
    accepted = Accepted()
    parts = Parts(
        node=settings.node,
        sources=sources(settings.secrets),
        claims=Claims(settings.claims, settings.node, done_seconds=settings.claim_seconds),
        publisher=Publisher(settings.broker, lost=confirms_lost(faults)),
        accepted=accepted,
        metrics=metrics,
        registry=registry,
        clock=lambda: datetime.now(UTC),
    )
    app = create_app(parts, Disturbance(faults, read_vault))
    instrument(app, service=SERVICE, registry=registry)
    admin = create_admin(SERVICE, faults)
    serve_accepted(admin, accepted)
    _logger.info("Node %s listens on http://%s:%d", settings.node, settings.host, settings.port)
    serving.serve((app, admin), sockets)
    faults.stop_all()
