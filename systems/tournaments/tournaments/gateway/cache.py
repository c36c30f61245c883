"""Answers kept in Redis for some seconds. Without Redis every read goes to its service: slower, and right."""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import redis
from prometheus_client import CollectorRegistry, Counter

_ANSWERS_WITHIN_SECONDS = 0.2
_LEFT_ALONE_SECONDS = 2.0
"""After a failure: users must not wait for it each time."""

_logger = logging.getLogger(__name__)


class Cache:
    """Safe for several threads."""

    def __init__(self, url: str, registry: CollectorRegistry, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._client = redis.Redis.from_url(
            url, socket_timeout=_ANSWERS_WITHIN_SECONDS, socket_connect_timeout=_ANSWERS_WITHIN_SECONDS
        )
        self._clock = clock
        self._left_alone_until = 0.0
        self._lock = threading.Lock()
        self._taken: list[redis.Redis] = []
        self._asked = Counter(
            "cache_requests", "Reads that looked into the cache.", ["cache", "outcome"], registry=registry
        )
        for outcome in ("hit", "miss", "error"):
            self._asked.labels("tournaments", outcome)

    def get(self, key: str) -> Mapping[str, Any] | None:
        """What is kept; None: nothing, or Redis can't be asked."""
        found = self._run(lambda client: client.get(key))
        outcome = "error" if isinstance(found, _Failed) else "miss" if found is None else "hit"
        self._asked.labels("tournaments", outcome).inc()
        return None if isinstance(found, _Failed) or found is None else json.loads(found)

    def put(self, key: str, value: Mapping[str, Any], seconds: int) -> None:
        """Keep it for so long."""
        self._run(lambda client: client.set(key, json.dumps(value), ex=seconds))

    def forget(self, *keys: str) -> None:
        """They have changed."""
        self._run(lambda client: client.delete(*keys))

    def take_connections(self, count: int) -> None:
        """Really take so many connections and keep them: what a leak does. Raises OSError: then none is kept."""
        with self._lock:
            try:
                for _ in range(count - len(self._taken)):
                    one = redis.Redis.from_url(self._url, socket_connect_timeout=2, socket_timeout=2)
                    self._taken.append(one)
                    one.ping()
            except redis.RedisError as error:
                self._give_back()
                raise OSError(str(error)) from error

    def give_connections_back(self) -> None:
        """Undo `take_connections`."""
        with self._lock:
            self._give_back()

    def _give_back(self) -> None:
        while self._taken:
            self._taken.pop().close()

    def close(self) -> None:
        """Close all connections."""
        self.give_connections_back()
        self._client.close()

    def _run(self, work: Callable[[redis.Redis], Any]) -> Any:
        if self._clock() < self._left_alone_until:
            return _Failed()
        try:
            return work(self._client)
        except redis.RedisError as error:
            self._left_alone_until = self._clock() + _LEFT_ALONE_SECONDS
            _logger.warning("The cache can't be used, reads go to their services: %s", error)
            return _Failed()


class _Failed:
    """Redis can't be asked."""
