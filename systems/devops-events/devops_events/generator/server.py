"""Puts the generator's parts together: the thread that sends, the platforms' REST, and the admin port."""

import logging
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random

import httpx
from prometheus_client import CollectorRegistry, Gauge
from reference_system import serving
from reference_system.admin import create_admin
from reference_system.faults import Faults
from reference_system.load_plan import DayShape, due_times
from reference_system.serving import ADMIN_HOST, Port
from sereno_collectors.devops.secret_files import SecretFiles
from sereno_telemetry import instrument, log_deed

from devops_events.background import Background
from devops_events.figures import create_figures
from devops_events.generator.deliveries import Deliveries
from devops_events.generator.faults import KINDS, changed
from devops_events.generator.rest import add_rest
from devops_events.generator.sender import Sender, SenderMetrics, sending
from devops_events.generator.settings import Settings
from devops_events.platforms import sources
from devops_events.settings import PREFIX
from devops_events.shared_secrets import make_missing

SERVICE = "devops-events-generator"

_MAY_TAKE_SECONDS = 0.9

_logger = logging.getLogger("devops_events.generator")
logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each request says nothing here


def ports(settings: Settings) -> tuple[Port, Port]:
    """Where it listens: the platforms' REST, and faults."""
    return (
        Port(settings.host, settings.port, f"{PREFIX}PORT"),
        Port(ADMIN_HOST, settings.admin_port, f"{PREFIX}ADMIN_PORT"),
    )


def serve(settings: Settings, sockets: Sequence[socket.socket]) -> None:
    """Send until SIGTERM or SIGINT.

    Raises:
        SecretsUnavailable: the platforms' secrets can't be made.
    """
    make_missing(settings.secrets)
    registry = CollectorRegistry()
    fault_active = Gauge("devops_events_fault_active", "1 while a fault is switched on.", ["fault"], registry=registry)
    faults = Faults(
        KINDS,
        deed=lambda action, message, labels: log_deed(_logger, action, message, labels),
        changed=lambda name, on: fault_active.labels(name).set(on),
    )
    random = Random(settings.seed or None)  # noqa: S311 - no secret
    deliveries, metrics = Deliveries(random, changed(faults)), SenderMetrics(registry)
    secrets = {name: SecretFiles(source.secret_files) for name, source in sources(settings.secrets).items()}

    def sender(client: httpx.AsyncClient) -> Sender:
        return Sender(
            client,
            deliveries,
            targets=settings.targets,
            secrets=secrets,
            doubles_ratio=settings.doubles_percent / 100,
            random=random,
            metrics=metrics,
        )

    shape = DayShape(datetime.now(UTC), speed=1.0)
    background = Background("sender", sending(sender, due_times(1000 / settings.period_milliseconds, shape)))
    app = create_figures("DevOps events: platforms")
    instrument(app, service=SERVICE, registry=registry)
    add_rest(app, deliveries.pasts)  # last: its path takes whatever no other one does
    background.start()
    _logger.info("The platforms' REST is on http://%s:%d", settings.host, settings.port)
    try:
        serving.serve((app, create_admin(SERVICE, faults)), sockets)
    finally:
        faults.stop_all()
        background.stop(_MAY_TAKE_SECONDS)
