"""From the outbox to the Redis list; past it, while Redis is gone."""

import logging
from collections.abc import Sequence

import redis
from prometheus_client import CollectorRegistry, Counter
from sereno_telemetry import Delivery

from fitness.database import StoreUnavailable
from fitness.events import LIST, Event
from fitness.users.metrics_client import MetricsApi, MetricsSilent
from fitness.users.outbox import Outbox
from fitness.worker import Worker

_BATCH = 200
_PAUSE_SECONDS = 0.5
"""Between looks, where nobody wakes it: another users service may have died with events in the outbox."""
_DETOUR = "metrics-api"
"""In the outbox: pushed to no Redis, but handed to the metrics API."""

_logger = logging.getLogger(__name__)


class Relay:
    """Pushes what is in the outbox; it never gives up, and pushes everything again to a Redis that is a new one.

    While Redis can't be reached the metrics API is given all that isn't known to be stored, what Redis had got too: it
    may be lost there. What is stored twice that way is stored once.
    """

    def __init__(
        self, outbox: Outbox, client: redis.Redis, metrics_api: MetricsApi, registry: CollectorRegistry
    ) -> None:
        self._outbox = outbox
        self._client = client
        self._metrics_api = metrics_api
        self._pushed = Counter(
            "fitness_events_pushed",
            "Business events by the way that they went; queue is Redis, detour the metrics API while Redis is gone.",
            ["way"],
            registry=registry,
        )
        for way in ("queue", "detour"):
            self._pushed.labels(way)
        self._on_detour = False
        self.worker = Worker("Sending events", self._step, (StoreUnavailable, MetricsSilent))

    def _step(self) -> float:
        try:
            sent = self._outbox.push(self._server(), _BATCH, self._push)
            self._is_on_detour(on=False)
            self._pushed.labels("queue").inc(sent)
        except redis.RedisError as error:
            self._is_on_detour(on=True, why=str(error))
            sent = self._outbox.push(_DETOUR, _BATCH, self._hand_over)
            self._pushed.labels("detour").inc(sent)
        return 0.0 if sent == _BATCH else _PAUSE_SECONDS

    def _server(self) -> str:
        return str(self._client.info("server")["run_id"])

    def _push(self, payloads: Sequence[bytes]) -> str:
        # One transaction: the answer tells which server took them, also if another has come in between.
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.info("server")
            pipeline.lpush(LIST, *payloads)
            answers = pipeline.execute()
        return str(answers[0]["run_id"])

    def _hand_over(self, payloads: Sequence[bytes]) -> str:
        bodies = (Delivery.from_redis_list(payload)[1] for payload in payloads)
        self._metrics_api.store([Event.model_validate_json(body) for body in bodies])
        return _DETOUR

    def _is_on_detour(self, *, on: bool, why: str = "") -> None:
        if on and not self._on_detour:
            _logger.error(
                "Redis can't be reached, and events go to the metrics API instead: %s",
                why,
                extra={"ecs": {"error.type": "redis.exceptions.RedisError", "error.message": why}},
            )
        elif self._on_detour and not on:
            _logger.info("Redis can be reached again, and events go by its list")
        self._on_detour = on
