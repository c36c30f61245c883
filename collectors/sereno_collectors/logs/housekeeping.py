"""What a collector does for its store beside collecting: retention every hour, looks at its disks every ten minutes."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import Event

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sereno_backends.logs import LogStoreError
from sereno_backends.logs.health.model import DiskForecast
from sereno_backends.logs.lifecycle import Retentions, SqliteRetention
from sereno_backends.logs.location import is_server

LOOK_SECONDS = 600.0
RETENTION_SECONDS = 3_600.0
SECONDS_A_DAY = 86_400.0
RETENTION, DISK_LOOK = "retention", "disk_look"


class ChoreFailed(Exception):  # noqa: N818 - reads as what happened
    """Some of a chore could not be done; the message says what and why."""


@dataclass(frozen=True, slots=True)
class Chores:
    """What is done for one store.

    `look` and `retain` raise `LogStoreError` or `ChoreFailed` where that fails; doing it again is right.
    """

    look: Callable[[], Sequence[DiskForecast]]
    retain: Callable[[], None] | None
    """None: the user has given no retention."""
    close: Callable[[], None] = lambda: None
    """Close the connections."""


def chores_of(location: str, retentions: Retentions | None, now: Callable[[], datetime], stop: Event) -> Chores:
    """The chores of the store at `location`, an address or a path.

    Raises:
        LogStoreRefused: the address or its credentials file can't be used.
    """
    if is_server(location):
        return _of_server(location, retentions, now)
    from sereno_backends.logs.health.sqlite_look import look_at_sqlite  # noqa: PLC0415 - only what is meant

    path = Path(location)

    def retain(governing: Retentions) -> None:
        SqliteRetention(path, governing, now, stop).run()

    return Chores(
        look=lambda: (look_at_sqlite(path, retentions, now()).disk,),
        retain=None if retentions is None else partial(retain, retentions),
    )


def _of_server(location: str, retentions: Retentions | None, now: Callable[[], datetime]) -> Chores:
    from sereno_backends.logs.elasticsearch_client import explained  # noqa: PLC0415 - 0.2 s to import
    from sereno_backends.logs.health.disks import look_at_disks  # noqa: PLC0415
    from sereno_backends.logs.health.opening import open_server  # noqa: PLC0415
    from sereno_backends.logs.lifecycle import Lifecycle  # noqa: PLC0415
    from sereno_backends.logs.lifecycle.opening import REQUEST_SECONDS  # noqa: PLC0415

    connection, name = open_server(location, request_seconds=REQUEST_SECONDS)

    # The client is asked for each time: a collector lives for longer than its credentials.
    def look() -> Sequence[DiskForecast]:
        with explained(name):
            return look_at_disks(connection.client(), retentions, now())

    def retain(governing: Retentions) -> None:
        failures = Lifecycle(connection.client(), name, governing, now).run().failures
        if failures:
            raise ChoreFailed(f"{len(failures)} of its steps failed, the first one because {failures[0].message}")

    return Chores(look, None if retentions is None else partial(retain, retentions), connection.close)


class HousekeepingMetrics:
    """What is known of the store's disks, and whether chores are done, in the registry that is given."""

    def __init__(self, registry: CollectorRegistry, now: Callable[[], float], chores: Chores) -> None:
        self._now = now
        self._failures = Counter(
            "sereno_collector_housekeeping_failures",
            "Chores for the store (retention, looks at its disks) that failed; each is repeated within ten minutes.",
            ["chore"],
            registry=registry,
        )
        self._last_success = Gauge(
            "sereno_collector_housekeeping_last_success_timestamp_seconds",
            "When a chore was last done without failure; before the first time, when the collector was started.",
            ["chore"],
            registry=registry,
        )
        self._disks = _DiskMetrics()
        registry.register(self._disks)
        for chore in (DISK_LOOK, *([RETENTION] if chores.retain else [])):
            self._failures.labels(chore)
            self._last_success.labels(chore).set(now())

    def done(self, chore: str) -> None:
        """It was done."""
        self._last_success.labels(chore).set(self._now())

    def failed(self, chore: str) -> None:
        """It was not; disks that nobody sees have no figures."""
        self._failures.labels(chore).inc()
        if chore == DISK_LOOK:
            self._disks.show(())

    def seen(self, disks: Sequence[DiskForecast]) -> None:
        """What the newest look has found."""
        self._disks.show(disks)


class _DiskMetrics(Collector):
    """The newest look: one takes requests to the store, so that not every scrape makes one."""

    def __init__(self) -> None:
        self._disks: Sequence[DiskForecast] = ()

    def show(self, disks: Sequence[DiskForecast]) -> None:
        self._disks = disks

    def collect(self) -> Iterable[Metric]:
        for name, text, values in _DISK_SERIES:
            labels = ["disk", "watermark"] if "watermark" in name else ["disk"]
            help_text = f"{text} Looked at every ten minutes."
            family = GaugeMetricFamily(f"sereno_collector_store_disk_{name}", help_text, labels=labels)
            for disk in self._disks:
                for watermark, value in values(disk).items():
                    family.add_metric([disk.place, watermark][: len(labels)], value)
            yield family


def _seconds(disk: DiskForecast) -> dict[str, float]:
    return {str(name): float("inf") if days is None else days * SECONDS_A_DAY for name, days in disk.days_until.items()}


_DISK_SERIES: tuple[tuple[str, str, Callable[[DiskForecast], Mapping[str, float]]], ...] = (
    ("size_bytes", "Size of the store's disk.", lambda disk: {"": disk.total_bytes}),
    ("available_bytes", "Free space of the store's disk.", lambda disk: {"": disk.available_bytes}),
    (
        "watermark_bytes",
        "Free space below which the watermark is exceeded.",
        lambda disk: {str(name): free for name, free in disk.least_free_bytes.items()},
    ),
    (
        "seconds_until_watermark",
        "Time until the watermark is exceeded, by growth and retention; 0: it is, +Inf: not within a year.",
        _seconds,
    ),
)


class Housekeeping:
    """Does the chores until told to stop; a failure is told once, counted, and tried again.

    Args:
        chores: what is to be done.
        metrics: of the collector.
        report: takes what a person should know.
        monotonic: seconds that never go back.
    """

    def __init__(
        self,
        chores: Chores,
        metrics: HousekeepingMetrics,
        report: Callable[[str], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._chores = chores
        self._metrics = metrics
        self._report = report
        self._monotonic = monotonic
        self._retained_at = -RETENTION_SECONDS
        self._complaints: dict[str, str] = {}

    def run(self, stop: Event) -> None:
        """Do them in turn, the first time at once; the connections are closed in the end."""
        try:
            while not stop.is_set():
                self.tidy()
                stop.wait(LOOK_SECONDS)
        finally:
            self._chores.close()

    def tidy(self) -> None:
        """Do once what is due; raises nothing."""
        retain = self._chores.retain
        if (
            retain is not None
            and self._monotonic() - self._retained_at >= RETENTION_SECONDS
            and self._do(RETENTION, retain)
        ):
            self._retained_at = self._monotonic()
        self._do(DISK_LOOK, lambda: self._metrics.seen(self._chores.look()))

    def _do(self, chore: str, work: Callable[[], None]) -> bool:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - a bug here must not end a collector that collects
            known = isinstance(error, LogStoreError | ChoreFailed)
            self._metrics.failed(chore)
            self._tell(chore, str(error) if known else repr(error))
            return False
        self._metrics.done(chore)
        self._complaints.pop(chore, None)
        return True

    def _tell(self, chore: str, why: str) -> None:
        what = {RETENTION: "retention could not be done", DISK_LOOK: "the store's disks could not be looked at"}[chore]
        if self._complaints.get(chore) != why:
            self._complaints[chore] = why
            self._report(f"{what}: {why}; it is tried again within ten minutes")
