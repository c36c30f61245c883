"""Puts the parts together and serves them: the API and the admin port, in one process."""

import asyncio
import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Gauge
from sereno_telemetry import Consumer, instrument, log_deed

from transactions_api.admin import create_admin
from transactions_api.app import create_app
from transactions_api.deliveries import Deliveries
from transactions_api.disturbance import Disturbance
from transactions_api.faults import DATABASE_GONE, SUBSCRIBER_STUCK, Faults, Switch
from transactions_api.settings import Settings
from transactions_api.store import TransactionStore
from transactions_api.subscriber import Subscriber
from transactions_api.topic import MESSAGING_SYSTEM, TOPIC, InProcessTopic

SERVICE = "transactions-api"
ADMIN_HOST = "127.0.0.1"

# Together they keep the way from SIGTERM to the end below two seconds.
_REQUESTS_MAY_TAKE_SECONDS = 1
_SUBSCRIBER_MAY_TAKE_SECONDS = 0.5

_logger = logging.getLogger("transactions_api")


@dataclass(frozen=True, slots=True)
class Sockets:
    """The listening sockets."""

    api: socket.socket
    admin: socket.socket


@dataclass(frozen=True, slots=True)
class PortTaken:
    """A port that can't be listened on, and why."""

    host: str
    port: int
    variable: str
    reason: str


def listen(settings: Settings) -> Sockets | PortTaken:
    """Open both ports, or none."""
    opened: list[socket.socket] = []
    wanted = (
        (settings.host, settings.port, "TRANSACTIONS_PORT"),
        (ADMIN_HOST, settings.admin_port, "TRANSACTIONS_ADMIN_PORT"),
    )
    for host, port, variable in wanted:
        try:
            family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
            listener = socket.socket(family, socket.SOCK_STREAM)
            opened.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(100)  # now, so that nobody else can take a port that we were given
        except OSError as error:
            for each in opened:
                each.close()
            return PortTaken(host, port, variable, error.strerror or str(error))
    return Sockets(*opened)


def serve(settings: Settings, sockets: Sockets) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        StoreUnavailable: the database can't be opened.
    """
    with _running_parts(settings) as (api, admin):
        _logger.info(
            "%s listens on http://%s:%d, faults on http://%s:%d/faults",
            SERVICE,
            settings.host,
            settings.port,
            ADMIN_HOST,
            settings.admin_port,
        )
        asyncio.run(_serve_until_signal(_server(api), _server(admin), sockets))


@contextmanager
def _running_parts(settings: Settings) -> Iterator[tuple[FastAPI, FastAPI]]:
    """Both apps over a running subscriber; at the end it stores what waits, and every fault is off."""
    registry = CollectorRegistry()
    store = TransactionStore(settings.database)
    deliveries = Deliveries()
    registry.register(deliveries)
    fault_active = Gauge("transactions_fault_active", "1 while a fault is switched on.", ["fault"], registry=registry)
    faults = Faults(
        deed=lambda action, message, labels: log_deed(_logger, action, message, labels),
        switches={DATABASE_GONE.name: Switch(on=store.take_away, off=store.bring_back)},
        changed=lambda name, on: fault_active.labels(name).set(on),
    )
    topic = InProcessTopic(
        settings.queue_capacity, on_publish=lambda message: deliveries.published(message.transaction.id)
    )
    api = create_app(store, topic, Disturbance(faults), registry)
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
        yield api, create_admin(faults)
    finally:
        for refusal in faults.stop_all():
            _logger.error("At the end of the process: %s", refusal)
        subscriber.stop(_SUBSCRIBER_MAY_TAKE_SECONDS)
        store.close()
        left = deliveries.figures().waiting
        if left:
            _logger.error("%d published transactions were not stored and are lost with this process", left)


class _Server(uvicorn.Server):
    """A uvicorn that leaves signals to us: two of them in one process would take them from each other."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _server(app: FastAPI) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            log_config=None,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=_REQUESTS_MAY_TAKE_SECONDS,
        )
    )


async def _serve_until_signal(api: _Server, admin: _Server, sockets: Sockets) -> None:
    def stop() -> None:
        for server in (api, admin):
            server.force_exit = server.should_exit  # a second signal: don't wait for requests
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    await asyncio.gather(api.serve([sockets.api]), admin.serve([sockets.admin]))
