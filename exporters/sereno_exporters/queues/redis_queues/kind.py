"""The exporter `redis_queues` as the frame knows it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sereno_exporters.frame.model import ExporterKind, Part, Parts, Target
from sereno_exporters.frame.trouble import FetchError, Reason
from sereno_exporters.queues.redis_queues import families
from sereno_exporters.queues.redis_queues.settings import RedisQueuesSettings

if TYPE_CHECKING:
    from sereno_exporters.queues.redis_queues.fetch import RedisServer


def _connect(target: Target[RedisQueuesSettings]) -> Parts:
    return Parts(tuple(_parts(target)))


def _parts(target: Target[RedisQueuesSettings]) -> Iterator[Part[Any]]:
    settings = target.settings
    if settings.lists:
        yield Part("lists", lambda deadline: _server(target).lists(deadline), families.of_lists, settings.reuse)
    if settings.streams:
        yield Part("streams", lambda deadline: _server(target).streams(deadline), families.of_streams, settings.reuse)


def _server(target: Target[RedisQueuesSettings]) -> "RedisServer":
    try:
        from sereno_exporters.queues.redis_queues.fetch import RedisServer  # noqa: PLC0415 - redis comes with it
    except ImportError as error:
        missing = f"{error.name or 'redis'} is not installed: pip install 'sereno[redis]'"
        raise FetchError(Reason.CONFIGURATION, missing) from error
    return RedisServer(target)


KIND = ExporterKind(
    name="redis_queues",
    summary="Redis lists and streams as queues: length, age of the oldest entry, what consumer groups have left to do",
    settings=RedisQueuesSettings,
    connect=_connect,
    families=families.ALL,
)
