"""The families of the exporter `redis_queues`, and what becomes of a snapshot. Pure."""

from collections.abc import Iterable, Iterator

from prometheus_client.metrics_core import Metric

from sereno_exporters.frame.model import Family, FamilyKind
from sereno_exporters.queues.redis_queues.snapshot import ListQueue, Stream

GAUGE, COUNTER = FamilyKind.GAUGE, FamilyKind.COUNTER
_LIST, _STREAM, _GROUP = ("list",), ("stream",), ("stream", "group")

LIST_LENGTH = Family(
    "sereno_redis_queues_list_entries", GAUGE, "Entries of a list; 0 while the key is not there.", _LIST
)
LIST_AGE = Family(
    "sereno_redis_queues_list_oldest_age_seconds",
    GAUGE,
    "Age of a list's oldest entry by the time that stands in it; 0 while it is empty.",
    _LIST,
)
LIST_LACKS_TIME = Family(
    "sereno_redis_queues_list_time_missing",
    GAUGE,
    "1 if the oldest entry has no time where the configuration says, so that its age is not known, else 0.",
    _LIST,
)
STREAM_LENGTH = Family("sereno_redis_queues_stream_entries", GAUGE, "Entries that a stream keeps.", _STREAM)
STREAM_AGE = Family(
    "sereno_redis_queues_stream_oldest_age_seconds",
    GAUGE,
    "Age of the oldest entry that a stream keeps, whoever has read it, by its id; 0 while it is empty.",
    _STREAM,
)
CONSUMERS = Family("sereno_redis_queues_group_consumers", GAUGE, "Consumers that a group knows.", _GROUP)
LAG = Family(
    "sereno_redis_queues_group_lag_entries",
    GAUGE,
    "Entries that were not delivered to the group; no series before Redis 7, and where Redis can't tell.",
    _GROUP,
)
READ = Family(
    "sereno_redis_queues_group_read_total",
    COUNTER,
    "Entries that were delivered to the group; no series before Redis 7, and where Redis can't tell.",
    _GROUP,
)
PENDING = Family(
    "sereno_redis_queues_group_pending_entries", GAUGE, "Entries that were delivered and not confirmed.", _GROUP
)
WAITING_AGE = Family(
    "sereno_redis_queues_group_oldest_waiting_age_seconds",
    GAUGE,
    "Age of the first entry that was not delivered to the group, by its id; 0 if there is none.",
    _GROUP,
)
PENDING_AGE = Family(
    "sereno_redis_queues_group_oldest_pending_age_seconds",
    GAUGE,
    "Age of the first entry that was delivered and not confirmed, by its id; 0 if there is none.",
    _GROUP,
)

ALL = (
    LIST_LENGTH,
    LIST_AGE,
    LIST_LACKS_TIME,
    STREAM_LENGTH,
    STREAM_AGE,
    CONSUMERS,
    LAG,
    READ,
    PENDING,
    WAITING_AGE,
    PENDING_AGE,
)


def of_lists(lists: tuple[ListQueue, ...]) -> Iterator[Metric]:
    """Each list; an age only where entries carry a time."""
    yield LIST_LENGTH.of(((each.key,), each.length) for each in lists)
    yield _known(LIST_AGE, (((each.key,), each.oldest_age_seconds) for each in lists))
    yield _known(LIST_LACKS_TIME, (((each.key,), each.lacks_time) for each in lists))


def of_streams(streams: tuple[Stream, ...]) -> Iterator[Metric]:
    """Each stream and each of its groups."""
    groups = [((stream.key, group.name), group) for stream in streams for group in stream.groups]
    yield STREAM_LENGTH.of(((stream.key,), stream.length) for stream in streams)
    yield _known(STREAM_AGE, (((stream.key,), stream.oldest_age_seconds) for stream in streams))
    yield CONSUMERS.of((labels, group.consumers) for labels, group in groups)
    yield _known(LAG, ((labels, group.lag) for labels, group in groups))
    yield _known(READ, ((labels, group.entries_read) for labels, group in groups))
    yield PENDING.of((labels, group.pending) for labels, group in groups)
    yield _known(WAITING_AGE, ((labels, group.oldest_waiting_age_seconds) for labels, group in groups))
    yield _known(PENDING_AGE, ((labels, group.oldest_pending_age_seconds) for labels, group in groups))


def _known(family: Family, samples: Iterable[tuple[tuple[str, ...], float | None]]) -> Metric:
    return family.of((labels, value) for labels, value in samples if value is not None)
