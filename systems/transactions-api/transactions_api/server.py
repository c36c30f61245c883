"""Puts the parts together and serves them: the API and the admin port, in one process."""

import logging
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Gauge
from reference_system import serving
from reference_system.admin import create_admin
from reference_system.disturbance import Disturbance
from reference_system.faults import Faults, Switch
from reference_system.serving import ADMIN_HOST, Port
from sereno_telemetry import Consumer, instrument, log_deed

from transactions_api.app import create_app
from transactions_api.card_network import authorize
from transactions_api.deliveries import Deliveries
from transactions_api.faults import DATABASE_GONE, KINDS, SUBSCRIBER_STUCK
from transactions_api.settings import PREFIX, Settings
from transactions_api.store import TransactionStore
from transactions_api.subscriber import Subscriber
from transactions_api.topic import MESSAGING_SYSTEM, TOPIC, InProcessTopic

SERVICE = "transactions-api"

# With what requests may take, the way from SIGTERM to the end stays below two seconds.
_SUBSCRIBER_MAY_TAKE_SECONDS = 0.5

_logger = logging.getLogger("transactions_api")


def ports(settings: Settings) -> tuple[Port, Port]:
    """Where it listens: the API, and faults."""
    return (
        Port(settings.host, settings.port, f"{PREFIX}PORT"),
        Port(ADMIN_HOST, settings.admin_port, f"{PREFIX}ADMIN_PORT"),
    )


def serve(settings: Settings, sockets: Sequence[socket.socket]) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        StoreUnavailable: the database can't be opened.
    """
    with _running_parts(settings) as apps:
        _logger.info(
            "%s listens on http://%s:%d, faults on http://%s:%d/faults",
            SERVICE,
            settings.host,
            settings.port,
            ADMIN_HOST,
            settings.admin_port,
        )
        serving.serve(apps, sockets)


@contextmanager
def _running_parts(settings: Settings) -> Iterator[tuple[FastAPI, FastAPI]]:
    """Both apps over a running subscriber; at the end it stores what waits, and every fault is off."""
    registry = CollectorRegistry()
    store = TransactionStore(settings.database)
    deliveries = Deliveries()
    registry.register(deliveries)
    fault_active = Gauge("transactions_fault_active", "1 while a fault is switched on.", ["fault"], registry=registry)
    faults = Faults(
        KINDS,
        deed=lambda action, message, labels: log_deed(_logger, action, message, labels),
        switches={DATABASE_GONE.name: Switch(on=store.take_away, off=store.bring_back)},
        changed=lambda name, on: fault_active.labels(name).set(on),
    )
    topic = InProcessTopic(
        settings.queue_capacity, on_publish=lambda message: deliveries.published(message.transaction.id)
    )
    api = create_app(store, topic, Disturbance(faults, authorize), registry)
    done = instrument(api, service=SERVICE, registry=registry)
    subscriber = Subscriber(
        topic,
        store,
        deliveries,
        consumer=Consumer(TOPIC, system=MESSAGING_SYSTEM, registry=registry, tracer_provider=done.tracer_provider),
        stuck=lambda: faults.active(SUBSCRIBER_STUCK) is not None,
    )
    subscriber.start()
    try:
        yield api, create_admin(SERVICE, faults)
    finally:
        for refusal in faults.stop_all():
            _logger.error("At the end of the process: %s", refusal)
        subscriber.stop(_SUBSCRIBER_MAY_TAKE_SECONDS)
        store.close()
        left = deliveries.figures().waiting
        if left:
            _logger.error("%d published transactions were not stored and are lost with this process", left)
