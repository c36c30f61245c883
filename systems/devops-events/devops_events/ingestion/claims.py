"""The cheap filter before the queue: one node claims a delivery in Redis, and the others know of it.

A claim has two states. `pending` is a lease: who holds it is publishing, and if that node dies the lease ends and the
sender's next attempt gets through. `done` means that the broker has confirmed the event; it is kept for hours.
Nothing is ever lost by this filter: whatever is in doubt is published, and the store's unique key removes doubles.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import Final, TypeAlias

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

LEASE_MILLISECONDS: Final = 10_000
"""Longer than publishing can take, so that nobody takes over what is under way."""
WAIT_SECONDS: Final = 2.0
"""How long a double waits for what becomes of the first; then it is published as well."""
POLL_SECONDS: Final = 0.02
ANSWER_SECONDS: Final = 0.25
"""Redis answers within this, or does without."""
PAUSE_SECONDS: Final = 1.0
"""How long Redis isn't asked after it failed: an ingestion that waits for it with each delivery would be slow."""

_DONE = "done"
_PREFIX = "devops-events:claim:"
_CONNECTIONS = 50
_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"

_logger = logging.getLogger(__name__)


class Doubt(StrEnum):
    """Why a delivery is published without a claim."""

    NO_ANSWER = "no_answer"
    """Redis didn't answer."""
    HELD = "held"
    """Another node holds the claim, and didn't come to an end: it may have died."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """It is ours to publish."""

    token: str


@dataclass(frozen=True, slots=True)
class Published:
    """The broker has it already."""


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """Nobody knows whether it is there already."""

    doubt: Doubt


Claim: TypeAlias = Claimed | Published | Unclaimed


class Claims:
    """Claims of one node; all calls come from one event loop, and none of them raises.

    Args:
        url: of the Redis that all nodes share; version 7 or newer.
        node: this node's name.
        done_seconds: how long a published delivery is known.
        clock: monotonic seconds.
    """

    def __init__(self, url: str, node: str, *, done_seconds: int, clock: Callable[[], float] = time.monotonic) -> None:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=ANSWER_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )
        self._redis = Redis(connection_pool=pool)
        self._node = node
        self._done_seconds = done_seconds
        self._clock = clock
        self._numbers = count(1)
        self._asked_again_at = 0.0

    async def claim(self, key: str) -> Claim:
        """Claim a delivery; where another node is publishing it right now, wait for what becomes of that."""
        token = f"pending:{self._node}:{next(self._numbers)}"
        deadline = self._clock() + WAIT_SECONDS
        while self._clock() >= self._asked_again_at:
            try:
                held = await self._redis.set(_PREFIX + key, token, nx=True, get=True, px=LEASE_MILLISECONDS)
            except (RedisError, OSError, TimeoutError) as error:
                self._pause(error)
                break
            if held is None:
                return Claimed(token)
            if held == _DONE:
                return Published()
            if self._clock() > deadline:
                return Unclaimed(Doubt.HELD)
            await asyncio.sleep(POLL_SECONDS)
        return Unclaimed(Doubt.NO_ANSWER)

    async def done(self, key: str) -> None:
        """The broker has confirmed it: true, whoever holds the claim."""
        if self._clock() < self._asked_again_at:
            return
        try:
            await self._redis.set(_PREFIX + key, _DONE, ex=self._done_seconds)
        except (RedisError, OSError, TimeoutError) as error:
            self._pause(error)

    async def release(self, key: str, claim: Claim) -> None:
        """It was not published: the next attempt may try at once."""
        if not isinstance(claim, Claimed) or self._clock() < self._asked_again_at:
            return
        try:
            await self._redis.eval(_RELEASE, 1, _PREFIX + key, claim.token)
        except (RedisError, OSError, TimeoutError) as error:
            self._pause(error)

    def _pause(self, error: Exception) -> None:
        if self._clock() < self._asked_again_at:
            return  # one of several requests that failed together
        self._asked_again_at = self._clock() + PAUSE_SECONDS
        _logger.error(
            "Redis can't be asked for claims, doubles reach the queue until it can: %s",
            error,
            extra={"ecs": {"error.type": f"{type(error).__module__}.{type(error).__qualname__}"}},
        )
