"""Asks a Redis for lists and streams; the only I/O of the exporter `redis_queues`. It reads, and changes nothing."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.model import Target
from sereno_exporters.frame.redis_connection import Asking, Command, connected
from sereno_exporters.frame.trouble import FetchError, Reason
from sereno_exporters.queues.redis_queues.settings import ListSettings, RedisQueuesSettings, StreamSettings
from sereno_exporters.queues.redis_queues.snapshot import Group, ListQueue, Stream
from sereno_exporters.queues.redis_queues.times import age_of, id_after, moment_of_entry, moment_of_id

MOST_SCANNED = 200_000
"""Keys of a database that patterns are looked for in."""
_SCANNED_AT_ONCE = 1_000

Wanted = TypeVar("Wanted", ListSettings, StreamSettings)


@dataclass(frozen=True, slots=True)
class RedisServer:
    """One target."""

    target: Target[RedisQueuesSettings]

    def lists(self, deadline: Deadline) -> tuple[ListQueue, ...]:
        """All lists that the settings name."""
        with connected(self.target, self.target.settings, deadline) as asking:
            now = _now(asking)
            found = _keys(asking, self.target.settings.lists, "list")
            lengths = asking.all([("LLEN", key) for key in found])
            timed = [
                (key, settings)
                for (key, settings), length in zip(found.items(), lengths, strict=True)
                if settings.time is not None and length
            ]
            entries = asking.all([("LINDEX", key, 0 if each.oldest == "first" else -1) for key, each in timed])
        oldest = {key: entry for (key, _), entry in zip(timed, entries, strict=True)}
        return tuple(
            _list_queue(key, settings, length, oldest.get(key), now)
            for (key, settings), length in zip(found.items(), lengths, strict=True)
        )

    def streams(self, deadline: Deadline) -> tuple[Stream, ...]:
        """All streams that the settings name, with their groups."""
        with connected(self.target, self.target.settings, deadline) as asking:
            now = _now(asking)
            keys = list(_keys(asking, self.target.settings.streams, "stream"))
            lengths = asking.all([("XLEN", key) for key in keys])
            firsts = asking.all([_first_after(key, None) for key in keys])
            groups = _groups(asking, keys, now)
        return tuple(
            Stream(_text(key), length or 0, _age_of_first(first, now), groups[key])
            for key, length, first in zip(keys, lengths, firsts, strict=True)
        )


def _now(asking: Asking) -> float:
    """The server's clock, by which it makes the streams' ids."""
    seconds, microseconds = asking.one("TIME")
    return int(seconds) + int(microseconds) / 1e6


def _keys(asking: Asking, wanted: Sequence[Wanted], kind: str) -> Mapping[bytes, Wanted]:
    """The keys that there are, each with the first settings that name it; one that is named may be absent."""
    found: dict[bytes, Wanted] = {}
    for settings in wanted:
        if settings.key is not None:
            found.setdefault(settings.key.encode(), settings)
    types = asking.all([("TYPE", key) for key in found])
    for key, what in zip(found, types, strict=True):
        if what not in (kind.encode(), b"none"):
            raise FetchError(
                Reason.CONFIGURATION, f"the key {_text(key)} is a {_text(what)}, no {kind}: write it where it belongs"
            )
    for settings in wanted:
        if settings.match is not None:
            for key in _matching(asking, settings, kind):
                found.setdefault(key, settings)
    return found


def _matching(asking: Asking, settings: Wanted, kind: str) -> Sequence[bytes]:
    """Keys of this kind by pattern: all of them, or an error."""
    found: dict[bytes, None] = {}
    for keys in _scanned(asking, settings.match or ""):
        fresh = [key for key in keys if key not in found]
        types = asking.all([("TYPE", key) for key in fresh])
        found |= {key: None for key, what in zip(fresh, types, strict=True) if what == kind.encode()}
        if len(found) > settings.most:
            raise FetchError(
                Reason.TOO_LARGE,
                f"more than {settings.most:,} keys match {settings.match}: write a narrower pattern, or raise most",
            )
    return list(found)


def _scanned(asking: Asking, pattern: str) -> Iterator[Sequence[bytes]]:
    escaped = re.sub(r"([\[\]\\^])", r"\\\1", pattern)
    cursor: bytes = b"0"
    for _ in range(MOST_SCANNED // _SCANNED_AT_ONCE):
        cursor, keys = asking.one("SCAN", cursor, "MATCH", escaped, "COUNT", _SCANNED_AT_ONCE)
        yield keys
        if cursor == b"0":
            return
    raise FetchError(
        Reason.TOO_LARGE, f"the database has more than {MOST_SCANNED:,} keys: name the keys instead of match: {pattern}"
    )


def _list_queue(key: bytes, settings: ListSettings, length: int, oldest: bytes | None, now: float) -> ListQueue:
    if settings.time is None:
        return ListQueue(_text(key), length, None, None)
    if oldest is None:  # empty, or emptied since it was counted
        return ListQueue(_text(key), length, 0.0, lacks_time=False)
    age_seconds = age_of(moment_of_entry(oldest, settings.time), now)
    return ListQueue(_text(key), length, age_seconds, lacks_time=age_seconds is None)


def _groups(asking: Asking, streams: Sequence[bytes], now: float) -> Mapping[bytes, tuple[Group, ...]]:
    """The groups' positions, and from them the first entries that wait and that are pending: all streams at once."""
    found = asking.all([("XINFO", "GROUPS", stream) for stream in streams])
    flat = [
        (stream, dict(zip(each[::2], each[1::2], strict=True)))
        for stream, groups in zip(streams, found, strict=True)
        for each in groups or ()
    ]
    waiting = asking.all([_first_after(stream, group[b"last-delivered-id"]) for stream, group in flat])
    pending = asking.all([("XPENDING", stream, group[b"name"]) for stream, group in flat])
    by_stream: dict[bytes, tuple[Group, ...]] = dict.fromkeys(streams, ())
    for (stream, group), first, held in zip(flat, waiting, pending, strict=True):
        by_stream[stream] += (_group(group, first, held, now),)
    return by_stream


def _group(
    told: Mapping[bytes, Any], first: Sequence[Sequence[Any]] | None, held: Sequence[Any] | None, now: float
) -> Group:
    return Group(
        name=_text(told[b"name"]),
        consumers=int(told[b"consumers"]),
        lag=told.get(b"lag"),
        entries_read=told.get(b"entries-read"),
        pending=int(told[b"pending"]),
        oldest_waiting_age_seconds=_age_of_first(first, now),
        oldest_pending_age_seconds=_age_of_pending(held, now),
    )


def _first_after(stream: bytes, last: bytes | None) -> Command:
    return "XRANGE", stream, "-" if last is None else id_after(last), "+", "COUNT", 1


def _age_of_first(entries: Sequence[Sequence[Any]] | None, now: float) -> float | None:
    """0 if there is none."""
    return age_of(moment_of_id(entries[0][0]), now) if entries else 0.0


def _age_of_pending(summary: Sequence[Any] | None, now: float) -> float | None:
    """XPENDING's short form: how many, the least id, the greatest, by consumer."""
    if not summary or summary[1] is None:
        return 0.0
    return age_of(moment_of_id(summary[1]), now)


def _text(key: bytes) -> str:
    return key.decode(errors="backslashreplace")
