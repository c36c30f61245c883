"""A receiver of DevOps webhooks in a process of its own, with a look at what it has on disk."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families
from sereno_backends.devops import Disposition
from sereno_backends.devops.sqlite_store import SqliteDevOpsEventStore

from support.devops import running_receiver, write_configuration


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver in a process of its own, and what it has on disk."""

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
    """A receiver in a folder; it told no traceback."""
    path = folder / "devops.sqlite"
    with (
        running_receiver(write_configuration(folder), path) as server,
        httpx.Client(base_url=server.url, trust_env=False, timeout=20) as client,
    ):
        yield Receiver(client, SqliteDevOpsEventStore(path), folder)
        assert "Traceback" not in server.log.read_text(encoding="utf-8")
