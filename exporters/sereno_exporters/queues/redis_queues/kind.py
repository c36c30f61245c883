"""The exporter `redis_queues` as the frame knows it."""

from collections.abc import Iterator
from typing import Any

from sereno_exporters.frame.model import ExporterKind, Part, Parts, Target
from sereno_exporters.queues.redis_queues import families
from sereno_exporters.queues.redis_queues.settings import RedisQueuesSettings


def _connect(target: Target[RedisQueuesSettings]) -> Parts:
    return Parts(tuple(_parts(target)))


def _parts(target: Target[RedisQueuesSettings]) -> Iterator[Part[Any]]:
    from sereno_exporters.queues.redis_queues.fetch import RedisServer  # noqa: PLC0415 - redis comes with it

    server, settings = RedisServer(target), target.settings
    if settings.lists:
        yield Part("lists", server.lists, families.of_lists, settings.reuse)
    if settings.streams:
        yield Part("streams", server.streams, families.of_streams, settings.reuse)


KIND = ExporterKind(
    name="redis_queues",
    summary="Redis lists and streams as queues: length, age of the oldest entry, what consumer groups have left to do",
    settings=RedisQueuesSettings,
    connect=_connect,
    families=families.ALL,
)
