"""One soak: the demo's world, a receiver of webhooks and an exporter under load, sampled until the time is over."""

import sqlite3
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from sereno_cli.demo.part import Part
from sereno_cli.demo.places import free_addresses
from sereno_cli.demo.switching import LOG
from sereno_cli.demo.world import World, running_world

from benchmarks.chaos.emitting import Emitting
from benchmarks.devops_webhooks.servers import write_configuration
from benchmarks.soak.judging import MOST_LOG_BYTES, Growth, growth
from benchmarks.soak.sampling import Sample, log_bytes, sample
from benchmarks.soak.visiting import Visitors

OURS = ("transactions-api", "exporter", "collector", "devops", "incidents", "portal")
"""The service stands for the telemetry in it."""
ROWS = 1_000
_PERIOD_SECONDS = 5.0
_CONFIGURATION = """\
version: sereno/v1
exporters:
  sql:
    targets:
      items:
        dialect: sqlite
        file: items.sqlite
        queries:
          - name: items
            sql: SELECT item, value FROM items
            labels: [item]
            values: [{column: value, metric: items_value, unit: value, help: A number.}]
            row_limit: 10000
"""


@dataclass(frozen=True, slots=True)
class Soak:
    """What was seen."""

    growths: tuple[Growth, ...]
    logs: Mapping[str, int]
    """The most that each write-ahead log and queue took after the first quarter of the time, in bytes."""
    load: str
    failures: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Everything is flat, and answered."""
        return not self.failures and self.are_logs_bounded and all(each.flat for each in self.growths)

    @property
    def are_logs_bounded(self) -> bool:
        """None is larger than it may be."""
        return all(size <= MOST_LOG_BYTES for size in self.logs.values())


def run_soak(clone: Path, state: Path, *, seconds: float, tell: Callable[[str], None]) -> Soak:
    """Load for so long and look.

    Raises:
        DemoError: the world didn't come up, or a part died.
    """
    with ExitStack() as stack:
        more = stack.enter_context(free_addresses(("devops", "exporter")))
        world = stack.enter_context(running_world(clone, state, tell))
        _add_parts(world, more.port("devops"), more.port("exporter"))
        addresses, log = world.addresses, world.places.log_of(LOG)
        emitting = Emitting(addresses.url("transactions-api.api"), log, more.port("devops"))
        visitors = Visitors(more.url("exporter"), addresses.url("portal"), addresses.url("incidents"))
        emitting.start()
        visitors.start()
        tell(f"everything is under load for {seconds / 60:g} minutes")
        try:
            samples, logs = _sampled(world, seconds)
        finally:
            visitors.end()
            emitted = emitting.end()
    growths = tuple(growth(part, samples[part]) for part in OURS)
    load = (
        f"{len(emitted.requests):,} requests besides those of the demo, {emitted.lines:,} log lines, "
        f"{len(emitted.webhooks):,} webhooks, {visitors.visits:,} visits"
    )
    return Soak(growths, logs, load, tuple(dict.fromkeys(visitors.failures)))


def _sampled(world: World, seconds: float) -> tuple[dict[str, list[Sample]], dict[str, int]]:
    found: dict[str, list[Sample]] = {part: [] for part in OURS}
    most: dict[str, int] = {}
    begun = time.monotonic()
    while (since := time.monotonic() - begun) < seconds:
        world.supervisor.check()
        for part, process_id in world.supervisor.process_ids().items():
            seen = sample(process_id, since) if part in found else None
            if seen is not None:
                found[part].append(seen)
        if since > seconds / 4:
            for name, size in log_bytes(world.places.state).items():
                most[name] = max(size, most.get(name, 0))
        time.sleep(min(_PERIOD_SECONDS, max(0.1, seconds / 100)))
    return found, most


def _add_parts(world: World, devops_port: int, exporter_port: int) -> None:
    folder = world.places.state
    sereno = (sys.executable, "-m", "sereno_cli")
    no_cluster = {"SERENO_ELASTICSEARCH_URL": ""}
    devops: tuple[str, ...] = (*sereno, "collect", "devops", "--config", str(write_configuration(folder)))
    devops = (*devops, "--store", str(folder / "devops.sqlite"), "--port", str(devops_port))
    parts = [Part("devops", devops, f"http://127.0.0.1:{devops_port}/health", no_cluster)]
    _write_items(folder)
    exporter = (*sereno, "exporter", "sql", "--port", str(exporter_port))
    parts.append(Part("exporter", exporter, f"http://127.0.0.1:{exporter_port}/metrics", folder=folder))
    for child in [world.supervisor.start(part) for part in parts]:
        world.supervisor.wait_healthy(child)


def _write_items(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "items.sqlite")) as database:
        database.execute("CREATE TABLE items (item TEXT, value REAL)")
        database.executemany("INSERT INTO items VALUES (?, ?)", [(f"item-{number}", number) for number in range(ROWS)])
        database.commit()
    (folder / "exporters.yaml").write_text(_CONFIGURATION, encoding="utf-8")
