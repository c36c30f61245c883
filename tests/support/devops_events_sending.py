"""Platforms that deliver to nodes of devops-events, for tests."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from random import Random

import httpx
from devops_events.generator.deliveries import Deliveries, Delivery

from support.devops_events_system import Places


def deliveries(count: int, seed: int = 1) -> list[Delivery]:
    """So many deliveries of all platforms, of now."""
    supply = Deliveries(Random(seed))
    return [supply.next(datetime.now(UTC)) for _ in range(count)]


def deliver(places: Places, url: str, delivery: Delivery, *, timeout_seconds: float = 20) -> httpx.Response:
    """One attempt."""
    secret = (places.secrets / delivery.platform).read_text()
    headers = delivery.signed(secret, datetime.now(UTC))
    with httpx.Client(trust_env=False, timeout=timeout_seconds) as client:
        return client.post(f"{url}/webhooks/{delivery.platform}", content=delivery.body, headers=headers)


def deliver_together(places: Places, urls: Sequence[str], delivery: Delivery) -> list[httpx.Response]:
    """To all addresses at the same moment."""
    with ThreadPoolExecutor(len(urls)) as pool:
        return list(pool.map(lambda url: deliver(places, url, delivery), urls))
