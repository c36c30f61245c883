"""Sends deliveries when they are due, some of them twice, and again what got no answer."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import cycle
from random import Random
from typing import Final

import httpx
from prometheus_client import CollectorRegistry, Counter
from reference_system.faults import Share
from sereno_collectors.devops.secret_files import SecretFiles

from devops_events.background import Work
from devops_events.generator.deliveries import Deliveries, Delivery
from devops_events.generator.platforms import PLATFORMS
from devops_events.platforms import WEBHOOKS

TIMEOUT_SECONDS: Final = 10.0
"""As GitHub: what isn't answered by then has failed."""
PAUSES_SECONDS: Final = (5.0, 10.0, 20.0, 40.0, 60.0, 60.0, 60.0)
"""Before each further attempt; after the last one a delivery is given up."""
MOST_UNDER_WAY: Final = 2_000
_LATEST_DOUBLE_SECONDS = 5.0
_LOWEST_SERVER_ERROR = 500
_LAST_ANSWERS_SECONDS = 0.5


class SenderMetrics:
    """What the generator counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.attempts = Counter(
            "devops_events_generator_attempts_total",
            "Attempts to deliver, by what was answered; none: nothing, or not in time.",
            ["platform", "answer"],
            registry=registry,
        )
        self.doubles = Counter(
            "devops_events_generator_doubles_total",
            "Deliveries that were sent a second time on purpose.",
            ["platform"],
            registry=registry,
        )
        self.given_up = Counter(
            "devops_events_generator_given_up_total",
            "Deliveries that no attempt brought in: these are lost.",
            ["platform"],
            registry=registry,
        )
        for platform in PLATFORMS:
            self.attempts.labels(platform, "202")
            self.doubles.labels(platform)
            self.given_up.labels(platform)


class Sender:
    """Open loop: what is due goes out, whatever becomes of what went before; at most 2,000 deliveries are under way.

    Args:
        client: with the timeout of a platform.
        deliveries: what is sent.
        targets: addresses, taken in turn.
        secrets: of each platform.
        doubles_ratio: part of the deliveries that is sent twice.
        random: when a double comes.
        metrics: what is counted.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        deliveries: Deliveries,
        *,
        targets: Sequence[str],
        secrets: Mapping[str, SecretFiles],
        doubles_ratio: float,
        random: Random,
        metrics: SenderMetrics,
    ) -> None:
        self._client = client
        self._deliveries = deliveries
        self._targets: Iterator[str] = cycle(targets)
        self._secrets = secrets
        self._doubles_ratio = doubles_ratio
        self._doubled, self._at_once = Share(), Share()
        self._random = random
        self._metrics = metrics
        self._under_way: set[asyncio.Task[None]] = set()

    async def run(self, due_seconds: Iterator[float], stopping: asyncio.Event) -> None:
        """Send at these times after the start, until told to stop."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for due in due_seconds:
            ahead = began + due - loop.time()
            if ahead < -1.0:  # the machine slept: a burst of what was missed would be no traffic
                began -= ahead
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), max(ahead, 0.0))
            if stopping.is_set():
                break
            self._send(self._deliveries.next(datetime.now(UTC)))
        await self._finish()

    def _send(self, delivery: Delivery) -> None:
        self._begin(delivery, 0.0)
        if self._doubled.takes(self._doubles_ratio):
            self._metrics.doubles.labels(delivery.platform).inc()
            at_once = self._at_once.takes(0.5)
            self._begin(delivery, 0.0 if at_once else self._random.uniform(0.5, _LATEST_DOUBLE_SECONDS))

    def _begin(self, delivery: Delivery, pause_seconds: float) -> None:
        if len(self._under_way) >= MOST_UNDER_WAY:
            self._metrics.given_up.labels(delivery.platform).inc()
            return
        task = asyncio.create_task(self._until_answered(delivery, pause_seconds))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _until_answered(self, delivery: Delivery, pause_seconds: float) -> None:
        for pause in (pause_seconds, *PAUSES_SECONDS):
            await asyncio.sleep(pause)
            if await self._attempt(delivery):
                return
        self._metrics.given_up.labels(delivery.platform).inc()

    async def _attempt(self, delivery: Delivery) -> bool:
        """Whether it is done with: taken, or refused for good."""
        secret = next(iter(self._secrets[delivery.platform].current()), "")
        headers = delivery.signed(secret, datetime.now(UTC))
        url = f"{next(self._targets)}{WEBHOOKS}{delivery.platform}"
        try:
            answer = await self._client.post(url, content=delivery.body, headers=headers)
        except httpx.HTTPError:
            self._metrics.attempts.labels(delivery.platform, "none").inc()
            return False
        self._metrics.attempts.labels(delivery.platform, str(answer.status_code)).inc()
        return answer.status_code < _LOWEST_SERVER_ERROR

    async def _finish(self) -> None:
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=_LAST_ANSWERS_SECONDS)
        for task in tuple(self._under_way):
            task.cancel()


def sending(make: Callable[[httpx.AsyncClient], Sender], due_seconds: Iterator[float]) -> Work:
    """The work of a thread that sends."""

    async def work(stopping: asyncio.Event) -> None:
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=50)
        async with httpx.AsyncClient(trust_env=False, timeout=TIMEOUT_SECONDS, limits=limits) as client:
            await make(client).run(due_seconds, stopping)

    return work
