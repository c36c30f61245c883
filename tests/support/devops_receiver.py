"""A receiver of DevOps webhooks, in a process of its own or in this one, with a look at what it has on disk."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import httpx
import uvicorn
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from sereno_backends.devops import Disposition
from sereno_backends.devops.sqlite_store import SqliteDevOpsEventStore
from sereno_cli.devops_configuration import read_sources
from sereno_cli.serving import address_of, listen
from sereno_collectors.devops.model import Source
from sereno_collectors.devops.receiver import ReceiverParts, create_receiver

from support.devops import running_receiver, write_configuration


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver, and what it has on disk."""

    client: httpx.Client
    store: SqliteDevOpsEventStore
    folder: Path

    def kept(self) -> tuple[object, ...]:
        """Everything that is on disk: what is compared to say that nothing was stored."""
        deliveries = [(one.disposition, one.delivery_id) for each in Disposition for one in self.store.kept(each)]
        return (*deliveries, *self.store.counts().values())

    def metric(self, name: str, **labels: str) -> float | None:
        """The value of one of its metrics; None if it isn't there."""
        for family in text_string_to_metric_families(self.client.get("/metrics").text):
            for sample in family.samples:
                if sample.name == name and sample.labels == labels:
                    return float(sample.value)
        return None


def receiving(folder: Path) -> Iterator[Receiver]:
    """A receiver in a process of its own; it told no traceback."""
    path = folder / "devops.sqlite"
    with (
        running_receiver(write_configuration(folder), path) as server,
        httpx.Client(base_url=server.url, trust_env=False, timeout=20) as client,
    ):
        yield Receiver(client, SqliteDevOpsEventStore(path), folder)
        assert "Traceback" not in server.log.read_text(encoding="utf-8")


def receiving_here(folder: Path) -> Iterator[Receiver]:
    """The same application in a thread of this process: ready at once."""
    store = SqliteDevOpsEventStore(folder / "devops.sqlite")
    store.prepare()
    sources = tuple(one for one in read_sources(write_configuration(folder)) if isinstance(one, Source))
    app = create_receiver(ReceiverParts(sources, store, CollectorRegistry(), lambda: datetime.now(UTC)))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    with listen("127.0.0.1", 0, command="tests") as listener:
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="receiver")
        thread.start()
        try:
            url = address_of(listener, "127.0.0.1")
            with httpx.Client(base_url=url, trust_env=False, timeout=20) as client:
                yield Receiver(client, store, folder)
        finally:
            server.should_exit = True
            thread.join()
