"""Connections to Redis that fail soon, and are opened anew by whoever tries again."""

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

CONNECT_SECONDS = 1.0


def connected(url: str, *, answer_seconds: float) -> redis.Redis:
    """A client of the Redis at `url` (redis://…); nothing is asked yet.

    Args:
        url: its address.
        answer_seconds: how long a command may take, with what it blocks.

    Raises:
        ValueError: the address is none.
    """
    return redis.Redis.from_url(
        url,
        socket_timeout=answer_seconds,
        socket_connect_timeout=CONNECT_SECONDS,
        # Whoever calls tries again himself: a push that is repeated behind his back would be counted by nobody.
        retry=Retry(NoBackoff(), 0),
    )
