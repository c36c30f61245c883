"""`python -m transactions_api.subscribe`: the subscriber as a program of its own, configured by the environment.

It stands for a function of Lambda that SQS invokes; the queue is subscribed to the topic that the API publishes to.
"""

import logging
import os
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from reference_system import serving
from reference_system.admin import create_admin
from reference_system.faults import Faults, Switch
from reference_system.program import run
from reference_system.serving import ADMIN_HOST, Port
from sereno_telemetry import Consumer, instrument

from transactions_api.app import Health
from transactions_api.aws import Aws
from transactions_api.batch_job import BatchJob
from transactions_api.faults import SUBSCRIBER_KINDS, SUBSCRIBER_STUCK, TABLE_LOCKED
from transactions_api.lambda_metrics import Invocations, InvokedStore, Reporting
from transactions_api.measured_store import MeasuredStore
from transactions_api.parts import dead_letters, make_faults
from transactions_api.postgresql_store import PostgresqlStore
from transactions_api.settings import PREFIX, SubscriberSettings, read_subscriber_settings
from transactions_api.sns_topic import SqsQueue
from transactions_api.subscriber import Subscriber

SERVICE = "transactions-subscriber"

# Longer than one turn with its long polling; what is under way then comes again.
_SUBSCRIBER_MAY_TAKE_SECONDS = 1.2
_REPORT_MAY_TAKE_SECONDS = 0.5

_logger = logging.getLogger("transactions_api")


def ports(settings: SubscriberSettings) -> tuple[Port, Port]:
    """Where it listens: metrics, and faults."""
    return (
        Port(settings.host, settings.port, f"{PREFIX}PORT"),
        Port(ADMIN_HOST, settings.admin_port, f"{PREFIX}ADMIN_PORT"),
    )


def serve(settings: SubscriberSettings, sockets: Sequence[socket.socket]) -> None:
    """Store what is published, until SIGTERM or SIGINT.

    Raises:
        StoreUnavailable: the database can't be opened.
        TopicUnavailable: topic or queue can't be reached.
    """
    with _running_parts(settings) as apps:
        _logger.info(
            "%s stores what is published to %s; metrics on http://%s:%d, faults on http://%s:%d/faults",
            SERVICE,
            settings.sns_topic,
            settings.host,
            settings.port,
            ADMIN_HOST,
            settings.admin_port,
        )
        serving.serve(apps, sockets)


@contextmanager
def _running_parts(settings: SubscriberSettings) -> Iterator[tuple[FastAPI, FastAPI]]:
    registry = CollectorRegistry()
    app = FastAPI(title="Transactions subscriber", version="1.0.0")

    @app.get("/health")
    async def health() -> Health:
        return Health()

    done = instrument(app, service=SERVICE, registry=registry)
    aws = Aws(settings.aws_endpoint_url)
    server = PostgresqlStore(settings.database_url)
    queue = SqsQueue(aws, settings.sns_topic)
    job = BatchJob(settings.database_url, lambda: _lock_seconds(faults))
    faults = make_faults(SUBSCRIBER_KINDS, registry, {TABLE_LOCKED.name: Switch(on=job.start, off=job.stop)})
    dead, invocations = dead_letters(registry), Invocations()
    store = InvokedStore(
        MeasuredStore(server, registry),
        reconnect=server.reconnect,
        invocations=invocations,
        started_seconds=registry.get_sample_value("process_start_time_seconds") or time.time(),
        idle_seconds=60 * settings.idle_minutes,
    )
    subscriber = Subscriber(
        queue,
        store,
        consumer=Consumer(queue.name, system=queue.system, registry=registry, tracer_provider=done.tracer_provider),
        stuck=lambda: faults.active(SUBSCRIBER_STUCK) is not None,
        put_aside=lambda _id: dead.inc(),
    )
    with ExitStack() as stack:
        stack.callback(server.close)
        if settings.function_name:
            reporting = Reporting(aws, settings.function_name, invocations)
            reporting.start()
            stack.callback(reporting.stop, _REPORT_MAY_TAKE_SECONDS)
        subscriber.start()
        stack.callback(subscriber.stop, _SUBSCRIBER_MAY_TAKE_SECONDS)
        try:
            yield app, create_admin(SERVICE, faults)
        finally:
            for refusal in faults.stop_all():
                _logger.error("At the end of the process: %s", refusal)


def _lock_seconds(faults: Faults) -> float:
    active = faults.active(TABLE_LOCKED)
    return TABLE_LOCKED.parameters[0].default if active is None else active.settings["seconds"]


if __name__ == "__main__":
    sys.exit(run(SERVICE, read_subscriber_settings(os.environ), ports, serve))
