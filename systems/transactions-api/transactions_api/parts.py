"""The parts that the settings choose: which database, which topic."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge
from reference_system.faults import FaultKind, Faults, Switch
from sereno_telemetry import log_deed

from transactions_api.deliveries import Deliveries
from transactions_api.model import Message
from transactions_api.settings import Settings
from transactions_api.sqlite_store import SqliteStore
from transactions_api.store import Removable, TransactionStore
from transactions_api.topic import InProcessTopic, Publisher

_logger = logging.getLogger("transactions_api")


@dataclass(frozen=True, slots=True)
class Database:
    """One database: what is stored in it, and how it is taken away."""

    store: TransactionStore
    removable: Removable


def open_database(settings: Settings) -> Database:
    """The database of the settings, which accepts us again if a process before us died with `database-gone` on.

    Raises:
        StoreUnavailable: it can't be opened.
    """
    if not settings.database_url:
        file = SqliteStore(settings.database)
        return Database(file, file)
    # Imported here: who runs the light parts needs no driver of PostgreSQL.
    from transactions_api.postgresql_store import PostgresqlStore, accept_again  # noqa: PLC0415

    accept_again(settings.database_url)
    server = PostgresqlStore(settings.database_url)
    return Database(server, server)


def open_topic(settings: Settings, deliveries: Deliveries) -> Publisher | InProcessTopic:
    """Where transactions are published, and accounted for.

    Raises:
        TopicUnavailable: it can't be reached.
    """

    def published(message: Message) -> None:
        deliveries.published(message.transaction.id)

    if not settings.sns_topic:
        return InProcessTopic(settings.queue_capacity, on_publish=published)
    # Imported here: boto3 is large, and the light parts need none.
    from transactions_api.aws import Aws  # noqa: PLC0415
    from transactions_api.sns_topic import SnsPublisher  # noqa: PLC0415

    return SnsPublisher(
        Aws(settings.aws_endpoint_url),
        settings.sns_topic,
        capacity=settings.queue_capacity,
        waiting=lambda: deliveries.figures().waiting,
        on_publish=published,
    )


def dead_letters(registry: CollectorRegistry) -> Counter:
    """What a subscriber counts of what it can't store."""
    return Counter(
        "transactions_dead_letters_total",
        "Published transactions that the database never takes, and that were put aside.",
        registry=registry,
    )


def make_faults(kinds: tuple[FaultKind, ...], registry: CollectorRegistry, switches: Mapping[str, Switch]) -> Faults:
    """The faults of one program, which are deeds in its log and gauges among its metrics."""
    active = Gauge("transactions_fault_active", "1 while a fault is switched on.", ["fault"], registry=registry)
    return Faults(
        kinds,
        deed=lambda action, message, labels: log_deed(_logger, action, message, labels),
        switches=switches,
        changed=lambda name, on: active.labels(name).set(on),
    )
