"""People who look at pages: each opens one with its charts, reads it for a moment, and opens the next."""

import asyncio
import random
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

_CHARTS = re.compile(r'data-chart="([^"]+)"')
READING_SECONDS = (0.5, 1.5)
"""Much less than a person takes, and pages reload by themselves every half minute."""


@dataclass(frozen=True, slots=True)
class View:
    """One answer: seconds until it was there."""

    kind: str
    seconds: float
    is_well: bool


@dataclass(frozen=True, slots=True)
class Visit:
    """An address, and what kind of page it is."""

    kind: str
    address: str


def looked_at(base: str, visits: Sequence[Visit], *, viewers: int, seconds: float, seed: int) -> tuple[View, ...]:
    """What so many viewers saw in so many seconds; each takes the addresses in an order of its own."""
    return asyncio.run(_crowd(base, visits, viewers=viewers, seconds=seconds, seed=seed))


async def _crowd(base: str, visits: Sequence[Visit], *, viewers: int, seconds: float, seed: int) -> tuple[View, ...]:
    views: list[View] = []
    limits = httpx.Limits(max_connections=2 * viewers, max_keepalive_connections=2 * viewers)
    async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=60, limits=limits) as client:
        until = time.monotonic() + seconds
        await asyncio.gather(
            *(_viewer(client, visits, random.Random(seed + number), until, views) for number in range(viewers))
        )
    return tuple(views)


async def _viewer(
    client: httpx.AsyncClient, visits: Sequence[Visit], chance: random.Random, until: float, views: list[View]
) -> None:
    await asyncio.sleep(chance.uniform(0, READING_SECONDS[1]))
    while time.monotonic() < until:
        visit = chance.choice(visits)
        text = await _answer(client, visit.kind, visit.address, views)
        charts = (_answer(client, "chart", address.replace("&amp;", "&"), views) for address in _CHARTS.findall(text))
        await asyncio.gather(*charts)
        await asyncio.sleep(chance.uniform(*READING_SECONDS))


async def _answer(client: httpx.AsyncClient, kind: str, address: str, views: list[View]) -> str:
    begun = time.monotonic()
    try:
        try:
            response = await client.get(address)
        except httpx.RemoteProtocolError:
            # A connection that the server closed, unused for five seconds, while this was on its way: as browsers do.
            response = await client.get(address)
        text, is_well = response.text, response.is_success
    except httpx.HTTPError:
        text, is_well = "", False
    views.append(View(kind, time.monotonic() - begun, is_well))
    return text
