"""From the outbox to the Redis list."""

from collections.abc import Sequence

import redis

from fitness.database import StoreUnavailable
from fitness.events import LIST
from fitness.users.outbox import Outbox
from fitness.worker import Worker

_BATCH = 200
_PAUSE_SECONDS = 0.5
"""Between looks, where nobody wakes it: another users service may have died with events in the outbox."""

EXPECTED = (redis.RedisError, StoreUnavailable)


class Relay:
    """Pushes what is in the outbox; it never gives up, and pushes everything again to a Redis that is a new one."""

    def __init__(self, outbox: Outbox, client: redis.Redis) -> None:
        self._outbox = outbox
        self._client = client
        self.worker = Worker("Pushing events to Redis", self._step, EXPECTED)

    def _step(self) -> float:
        server = str(self._client.info("server")["run_id"])
        pushed = self._outbox.push(server, _BATCH, self._push)
        return 0.0 if pushed == _BATCH else _PAUSE_SECONDS

    def _push(self, payloads: Sequence[bytes]) -> str:
        # One transaction: the answer tells which server took them, also if another has come in between.
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.info("server")
            pipeline.lpush(LIST, *payloads)
            answers = pipeline.execute()
        return str(answers[0]["run_id"])
