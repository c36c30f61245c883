"""Puts the parts together and serves them: the API and the admin port; with a queue in memory, its subscriber, too."""

import logging
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter
from reference_system import serving
from reference_system.admin import create_admin
from reference_system.disturbance import Disturbance
from reference_system.faults import Faults, Switch
from reference_system.serving import ADMIN_HOST, Port
from sereno_telemetry import Consumer, instrument

from transactions_api.app import create_app
from transactions_api.card_network import authorize
from transactions_api.confirming import Confirming
from transactions_api.deliveries import Deliveries
from transactions_api.faults import API_KINDS, DATABASE_GONE, KINDS, SUBSCRIBER_STUCK
from transactions_api.measured_store import MeasuredStore
from transactions_api.parts import dead_letters, make_faults, open_database, open_topic
from transactions_api.settings import PREFIX, Settings
from transactions_api.store import TransactionStore
from transactions_api.subscriber import Subscriber
from transactions_api.topic import InProcessTopic

SERVICE = "transactions-api"

# With what requests may take, the way from SIGTERM to the end stays below two seconds.
_THREADS_MAY_TAKE_SECONDS = 0.5

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
        TopicUnavailable: the topic can't be reached.
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
    """Both apps over running threads; at the end what waits in memory is stored, and every fault is off."""
    registry = CollectorRegistry()
    deliveries = Deliveries()
    registry.register(deliveries)
    database = open_database(settings)
    store = MeasuredStore(database.store, registry)
    topic = open_topic(settings, deliveries)
    faults = make_faults(
        KINDS if isinstance(topic, InProcessTopic) else API_KINDS,
        registry,
        {DATABASE_GONE.name: Switch(on=database.removable.take_away, off=database.removable.bring_back)},
    )
    api = create_app(store, topic, Disturbance(faults, authorize), registry)
    done = instrument(api, service=SERVICE, registry=registry)
    with ExitStack() as stack:
        stack.callback(store.close)
        if isinstance(topic, InProcessTopic):
            consumer = Consumer(
                topic.name, system=topic.system, registry=registry, tracer_provider=done.tracer_provider
            )
            given_up = dead_letters(registry)
            stack.enter_context(_storing(topic, store, (deliveries, given_up), faults, consumer))
        else:
            stack.enter_context(_confirming(store, deliveries))
        try:
            yield api, create_admin(SERVICE, faults)
        finally:
            for refusal in faults.stop_all():
                _logger.error("At the end of the process: %s", refusal)


@contextmanager
def _storing(
    topic: InProcessTopic,
    store: TransactionStore,
    accounts: tuple[Deliveries, Counter],
    faults: Faults,
    consumer: Consumer,
) -> Iterator[None]:
    """A subscriber in this process."""
    deliveries, dead = accounts

    def put_aside(message_id: str) -> None:
        deliveries.given_up(message_id)
        dead.inc()

    subscriber = Subscriber(
        topic,
        store,
        consumer=consumer,
        stuck=lambda: faults.active(SUBSCRIBER_STUCK) is not None,
        stored=deliveries.stored,
        put_aside=put_aside,
        waiting=lambda: deliveries.figures().waiting,
    )
    subscriber.start()
    try:
        yield
    finally:
        subscriber.stop(_THREADS_MAY_TAKE_SECONDS)
        left = deliveries.figures().waiting
        if left:
            _logger.error("%d published transactions were not stored and are lost with this process", left)


@contextmanager
def _confirming(store: TransactionStore, deliveries: Deliveries) -> Iterator[None]:
    """The subscriber is another process: the database is asked what it has stored."""
    confirming = Confirming(store, deliveries)
    confirming.start()
    try:
        yield
    finally:
        confirming.stop(_THREADS_MAY_TAKE_SECONDS)
        left = deliveries.figures().waiting
        if left:
            _logger.warning("%d published transactions wait on the topic; whether they are stored is not counted", left)
