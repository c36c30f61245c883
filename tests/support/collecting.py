"""A log collector on a bench: its file, its store, its figures; it can be stopped and started again."""

import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import orjson
from prometheus_client import CollectorRegistry
from sereno_backends.logs import LogQuery, LogRecord, LogStore, SqliteLogStore
from sereno_collectors.logs import Checkpoint, CollectorMetrics, LogCollector, Settings, Surroundings
from sereno_collectors.logs.inputs.files.tail import LINGER_SECONDS
from sereno_collectors.logs.inputs.timing import OPEN_EVENT_SECONDS

ALWAYS = LogQuery(datetime(1970, 1, 1, tzinfo=UTC), datetime(2261, 1, 1, tzinfo=UTC), limit=1_000_000)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        """The time now."""
        return self.seconds


class Bench:
    """One collector of `app.log` (and others) in a folder.

    `start` makes a collector from what is on the disk, as a new process would; `drain` collects until nothing is new.
    """

    def __init__(self, folder: Path, store: LogStore | None = None) -> None:
        self.folder = folder
        self.log = folder / "app.log"
        self.store: LogStore = store or SqliteLogStore(folder / "logs.sqlite")
        self.dead_letters = folder / "dead.jsonl"
        self.checkpoint = folder / "checkpoint.json"
        self.queue = folder / "queue.sqlite"
        self.clock = Clock()
        self.real_time = False
        self.stop = Event()
        self.registry = CollectorRegistry()
        self.reports: list[str] = []
        self._checkpoint: Checkpoint | None = None
        self._collector: LogCollector | None = None

    def start(self, *names: str) -> LogCollector:
        """A fresh collector; the one before is ended first, as if its process had ended."""
        self.end()
        self.registry = CollectorRegistry()
        self._checkpoint = Checkpoint(self.checkpoint, store=self.store.name)
        self._collector = LogCollector(
            Settings(
                tuple(self.folder / name for name in names or ("app.log",)),
                queue=self.queue,
                dead_letters=self.dead_letters,
                namespace=getattr(self.store, "namespace", "default"),
            ),
            store=self.store,
            checkpoint=self._checkpoint,
            stop=self.stop,
            surroundings=Surroundings(
                CollectorMetrics(self.registry, lambda: 1.0),
                self.reports.append,
                monotonic=time.monotonic if self.real_time else self.clock,
            ),
        )
        return self._collector

    def end(self) -> None:
        """Let go of files and checkpoint; nothing more is saved."""
        if self._collector is not None and self._checkpoint is not None:
            self._collector.close()
            self._checkpoint.close()
            self._collector = self._checkpoint = None

    @property
    def runs(self) -> bool:
        """Whether a collector was started and not ended."""
        return self._collector is not None

    @property
    def collector(self) -> LogCollector:
        """The running collector; started when none runs."""
        return self._collector or self.start()

    def drain(self) -> None:
        """Collect until nothing is new."""
        while self.collector.collect_batch():
            pass
        self.clock.seconds += 2 * OPEN_EVENT_SECONDS  # text that could have gone on
        while self.collector.collect_batch():
            pass

    def linger(self) -> None:
        """Let the time pass after which a rotated file is taken for finished."""
        self.drain()
        self.clock.seconds += LINGER_SECONDS + 1
        self.drain()

    def close(self) -> None:
        """End everything."""
        self.end()
        self.store.close()

    def append(self, *lines: str, name: str = "app.log", end: str = "\n") -> None:
        """Write lines to the end of a file."""
        with (self.folder / name).open("a", encoding="utf-8", newline="") as file:
            file.write("".join(f"{line}{end}" for line in lines))

    def store_exists(self) -> bool:
        """Whether the store's file was made."""
        return (self.folder / "logs.sqlite").exists()

    def stored(self) -> tuple[LogRecord, ...]:
        """Every record in the store."""
        return self.store.search(ALWAYS)

    def messages(self) -> list[str]:
        """The message of every record in the store, sorted."""
        return sorted(record.message for record in self.stored())

    def count(self, outcome: str) -> float | None:
        """How many documents had this outcome, in the running collector."""
        return self.registry.get_sample_value("sereno_collector_documents_total", {"outcome": outcome})

    def gauge(self, name: str) -> float | None:
        """The value of another of the collector's metrics."""
        return self.registry.get_sample_value(f"sereno_collector_{name}")


def ecs_line(message: str, **more: object) -> str:
    """A line as Sereno's telemetry writes it, at noon."""
    document = {
        "@timestamp": "2026-11-22T12:00:00.000Z",
        "log.level": "info",
        "message": message,
        "ecs.version": "8.17.0",
        "service.name": "checkout",
        "event.dataset": "app",
        **more,
    }
    return orjson.dumps(document).decode()
