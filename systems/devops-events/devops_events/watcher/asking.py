"""Asks the nodes what they have accepted, and the store what is stored."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

import httpx
import psycopg
from prometheus_client import CollectorRegistry, Gauge

from devops_events.watcher.lateness import LATE_AFTER_SECONDS, AcceptedEvent, Lateness

EVERY_SECONDS: Final = 2.0
_NODE_SECONDS = 1.0
_STORE_SECONDS = 5.0
_STORED = "SELECT key, extract(epoch FROM stored_at)::float8 FROM deliveries WHERE key = ANY(%s)"

_logger = logging.getLogger(__name__)


class Nodes:
    """The ingestion nodes, each asked for what came since it was asked last."""

    def __init__(self, urls: Sequence[str], registry: CollectorRegistry) -> None:
        self._cursors: dict[str, tuple[int, str]] = dict.fromkeys(urls, (0, ""))
        self._up = Gauge(
            "devops_events_node_up", "1 if the ingestion node tells what it accepts.", ["node"], registry=registry
        )

    async def ask(self, client: httpx.AsyncClient) -> Sequence[AcceptedEvent]:
        """What all of them have accepted since; what a node that is killed had not told yet is never counted."""
        found = await asyncio.gather(*(self._ask(client, url) for url in self._cursors))
        return [event for events in found for event in events]

    async def _ask(self, client: httpx.AsyncClient, url: str) -> Sequence[AcceptedEvent]:
        number, instance = self._cursors[url]
        try:
            answer = await client.get(f"{url}/accepted", params={"number": number, "instance": instance})
            told = answer.raise_for_status().json()
            events = [AcceptedEvent(str(key), str(platform), float(at)) for key, platform, at in told["events"]]
            self._cursors[url] = (int(told["newest"]), str(told["instance"]))
        except (httpx.HTTPError, ValueError, TypeError, KeyError) as error:
            self._up.labels(url).set(0)
            _logger.debug("node %s doesn't tell what it accepted: %s", url, error)
            return ()
        self._up.labels(url).set(1)
        if instance:
            return events
        # A node that is new to us: what was due before is another watcher's, which has counted it.
        began = time.time() - LATE_AFTER_SECONDS
        return [event for event in events if event.at_seconds > began]


class Store:
    """The database, asked for what is stored; a connection that fails is closed and opened again."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.AsyncConnection | None = None

    async def stored_at(self, keys: Sequence[str]) -> Mapping[str, float] | None:
        """When those that are stored were, in seconds since the epoch; None: no answer within five seconds."""
        try:
            async with asyncio.timeout(_STORE_SECONDS):
                if self._connection is None:
                    self._connection = await psycopg.AsyncConnection.connect(
                        self._url,
                        autocommit=True,
                        connect_timeout=3,
                        options="-c application_name=devops-events-watcher",
                    )
                cursor = await self._connection.execute(_STORED, (list(keys),))
                return dict(await cursor.fetchall())
        except psycopg.errors.UndefinedTable:
            return {}  # no worker has ever been here
        except (psycopg.Error, OSError, TimeoutError) as error:
            _logger.warning("The store can't be asked whether events are there: %s", error or "no answer in time")
            await self.close()
            return None

    async def close(self) -> None:
        """Hang up."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error, OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await connection.close()


async def watch(nodes: Nodes, store: Store, lateness: Lateness, stopping: asyncio.Event) -> None:
    """Ask until told to stop."""
    async with httpx.AsyncClient(trust_env=False, timeout=_NODE_SECONDS) as client:
        while not stopping.is_set():
            lateness.accepted(await nodes.ask(client))
            due = lateness.due()
            if due:
                lateness.judge(due, await store.stored_at([event.key for event in due]))
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), EVERY_SECONDS)
    await store.close()
