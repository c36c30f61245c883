"""The exporter `rabbitmq` as the frame knows it."""

import time
from collections.abc import Iterator
from typing import Any

from sereno_exporters.frame.http import HttpTarget
from sereno_exporters.frame.model import ExporterKind, Part, Parts, Target
from sereno_exporters.queues.rabbitmq import families
from sereno_exporters.queues.rabbitmq.fetch import Broker
from sereno_exporters.queues.rabbitmq.settings import RabbitmqSettings


def _connect(target: Target[RabbitmqSettings]) -> Parts:
    http = HttpTarget(target, target.settings)
    return Parts(tuple(_parts(target.settings, Broker.of(http, target.settings, time.time))), http.close)


def _parts(settings: RabbitmqSettings, broker: Broker) -> Iterator[Part[Any]]:
    yield Part("queues", broker.queues, families.of_queues)
    if settings.dead_letters:
        yield Part("dead_letters", broker.dead_letters, families.of_dead_letters)
    yield Part("overview", broker.overview, families.of_overview)
    if settings.nodes:
        yield Part("nodes", broker.nodes, families.of_nodes)


KIND = ExporterKind(
    name="rabbitmq",
    summary="Queues of RabbitMQ and LavinMQ: waiting, held and dead messages, age of the oldest, consumers, alarms",
    settings=RabbitmqSettings,
    connect=_connect,
    families=families.ALL,
)
