"""The Redis list as a queue that loses nothing: an entry is in a list of the consumer's own until it is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import redis


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry that was taken."""

    payload: bytes
    redelivered: bool
    """Taken before, and not done: by a consumer of this name that died, or before the store failed."""


class ReliableList:
    """Takes entries from `source`; those that are taken and not done are in `source:taken:NAME`.

    For one thread. Every method raises `redis.RedisError`.

    Args:
        client: of a Redis whose answers may take longer than the longest wait.
        source: the list; its oldest entry is the last.
        dead: where entries go that can never be processed.
        name: the consumer's, the same after a restart.
    """

    def __init__(self, client: redis.Redis, source: str, dead: str, name: str) -> None:
        self._client = client
        self._source = source
        self._dead = dead
        self._taken = f"{source}:taken:{name}"
        self._may_be_left = True
        """Whether entries may be there that were taken before: at the start, and after anything failed."""

    def take(self, limit: int, wait_seconds: int) -> Sequence[Entry]:
        """Up to `limit` of the oldest entries; blocks up to `wait_seconds` for the first, empty if none comes.

        What was taken before and isn't done comes first.
        """
        if self._may_be_left:
            left = cast("list[bytes]", self._client.lrange(self._taken, -limit, -1))
            if left:
                return [Entry(payload, redelivered=True) for payload in reversed(left)]
            self._may_be_left = False
        self._may_be_left = True  # from now on entries are taken, whether their names arrive here or not
        first = cast("bytes | None", self._client.blmove(self._source, self._taken, wait_seconds, "RIGHT", "LEFT"))
        if first is None:
            self._may_be_left = False
            return []
        with self._client.pipeline(transaction=False) as pipeline:
            for _ in range(limit - 1):
                pipeline.lmove(self._source, self._taken, "RIGHT", "LEFT")
            more = cast("list[bytes | None]", pipeline.execute())
        return [Entry(payload, redelivered=False) for payload in (first, *more) if payload is not None]

    def done(self, entries: Sequence[Entry]) -> None:
        """All entries that were taken last are stored or put aside: forget them."""
        self._remove(entries, dead=())
        self._may_be_left = any(entry.redelivered for entry in entries)  # more may be left than one batch

    def put_aside(self, entries: Sequence[Entry]) -> None:
        """Move entries that were taken to the dead ones; all or none."""
        self._remove(entries, dead=entries)

    def _remove(self, entries: Sequence[Entry], *, dead: Sequence[Entry]) -> None:
        with self._client.pipeline(transaction=True) as pipeline:
            for entry in dead:
                pipeline.lpush(self._dead, entry.payload)
            for entry in entries:
                pipeline.lrem(self._taken, -1, entry.payload)  # type: ignore[arg-type] # bytes are right: redis-py says str
            pipeline.execute()
