"""The metrics of consumers and of jobs, one set of each for a registry."""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from prometheus_client import CollectorRegistry, Gauge

from sereno_telemetry.metrics.buckets import DEFAULT_BUCKETS
from sereno_telemetry.metrics.families import CounterFamily, GaugeFamily, GaugeMode, HistogramFamily, Labels
from sereno_telemetry.metrics.health import health_of

MOST_DESTINATIONS = 100
MOST_ERROR_TYPES = 30
MOST_JOBS = 100
MOST_STAGES = 100

AGE_BOUNDS = (0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0)
"""Seconds: a message may wait through an incident, or through a weekend."""

JOB_BOUNDS = (0.1, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 14_400.0, 43_200.0, 86_400.0)
"""Seconds: from a job of every minute to one of every night."""

JOB_FAMILIES = {
    "job_duration_seconds": ("histogram", "Duration of runs."),
    "job_runs": ("counter", "Runs by outcome; `killed` is one that never ended, counted when the next begins."),
    "job_overlaps": ("counter", "Runs that began while another ran."),
    "job_rows": ("counter", "Rows that a stage took in, put out or rejected."),
    "job_running": ("gauge", "Runs in progress."),
    "job_last_start_timestamp_seconds": ("gauge", "When a run last began, seconds since the epoch."),
    "job_last_success_timestamp_seconds": ("gauge", "When a run last ended well, seconds since the epoch."),
    "job_last_duration_seconds": ("gauge", "Duration of the run that ended last."),
}
"""Type and documentation of what jobs export, in registries as in files."""

_SYSTEM, _DESTINATION = "messaging_system", "messaging_destination_name"
_QUEUE = {_SYSTEM: None, _DESTINATION: MOST_DESTINATIONS}

Metrics = TypeVar("Metrics", "ConsumerMetrics", "JobMetrics")

_logger = logging.getLogger("sereno_telemetry")


class ConsumerMetrics:
    """What consumers of queues export."""

    def __init__(self, registry: CollectorRegistry, bounds: tuple[float, ...] = DEFAULT_BUCKETS) -> None:
        self.bounds = bounds
        self.health = health_of(registry)
        self.duration = HistogramFamily(
            registry,
            "messaging_process_duration_seconds",
            "Duration of processing a message or a batch, by what came of it.",
            {**_QUEUE, "outcome": None, "error_type": MOST_ERROR_TYPES},
            bounds,
        )
        self.messages = CounterFamily(
            registry,
            "messaging_processed_messages_total",
            "Messages that were processed, by what came of it; each message of a batch counts.",
            {**_QUEUE, "outcome": None},
        )
        self.age = HistogramFamily(
            registry,
            "messaging_message_age_seconds",
            "Time between enqueueing a message and the start of its processing.",
            _QUEUE,
            AGE_BOUNDS,
        )
        self.redeliveries = CounterFamily(
            registry, "messaging_redeliveries_total", "Messages that the broker had delivered before.", _QUEUE
        )
        self.last_message = GaugeFamily(
            registry,
            "messaging_last_message_timestamp_seconds",
            "When the processing of a message last began, seconds since the epoch.",
            _QUEUE,
            "max",
        )
        self.last_activity = GaugeFamily(
            registry,
            "messaging_consumer_last_activity_timestamp_seconds",
            "When the consumer last asked for messages, began or ended one, seconds since the epoch.",
            _QUEUE,
            "max",
        )
        self.in_progress = InProgress(registry)


class InProgress:
    """How many messages are being processed, and since when the oldest of them is."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._count = GaugeFamily(
            registry, "messaging_messages_in_progress", "Messages that are being processed.", _QUEUE, "livesum"
        )
        self._oldest = GaugeFamily(
            registry,
            "messaging_oldest_in_progress_start_timestamp_seconds",
            "When the processing began that has lasted longest, seconds since the epoch; 0 if there is none.",
            _QUEUE,
            "liveall",
        )
        self._lock = threading.Lock()
        self._started: dict[Gauge, dict[object, float]] = {}
        """In order of their start; as many gauges as label values are admitted."""

    def begin(self, system: str, destination: str, count: int, now: float) -> Callable[[], None]:
        """Count messages in; what is returned counts them out."""
        counting, oldest = self._count.child(system, destination), self._oldest.child(system, destination)
        key = object()
        with self._lock:
            started = self._started.setdefault(oldest, {})
            started[key] = now
            oldest.set(next(iter(started.values())))
            counting.inc(count)

        def end() -> None:
            with self._lock:
                started.pop(key)
                oldest.set(next(iter(started.values()), 0.0))
                counting.dec(count)

        return end

    def none_yet(self, system: str, destination: str) -> None:
        """Export zeros before the first message."""
        self._count.child(system, destination)
        self._oldest.child(system, destination)


class JobMetrics:
    """What jobs export."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.health = health_of(registry)
        # Not `job`: that is the name of the target in Prometheus, which renames a sample's own to `exported_job`.
        job = {"job_name": MOST_JOBS}
        by_outcome = {**job, "outcome": None}
        by_stage = {**job, "stage": MOST_STAGES, "direction": None}

        def counter(name: str, labels: Labels) -> CounterFamily:
            return CounterFamily(registry, f"{name}_total", JOB_FAMILIES[name][1], labels)

        def gauge(name: str, mode: GaugeMode) -> GaugeFamily:
            return GaugeFamily(registry, name, JOB_FAMILIES[name][1], job, mode)

        self.duration = HistogramFamily(
            registry, "job_duration_seconds", JOB_FAMILIES["job_duration_seconds"][1], by_outcome, JOB_BOUNDS
        )
        self.runs = counter("job_runs", by_outcome)
        self.overlaps = counter("job_overlaps", job)
        self.rows = counter("job_rows", by_stage)
        self.running = gauge("job_running", "livesum")
        self.last_start = gauge("job_last_start_timestamp_seconds", "max")
        self.last_success = gauge("job_last_success_timestamp_seconds", "max")
        self.last_duration = gauge("job_last_duration_seconds", "mostrecent")


def consumer_metrics(registry: CollectorRegistry, bounds: tuple[float, ...]) -> ConsumerMetrics:
    """The consumer metrics of `registry`, made at the first call, whose bounds stay.

    Raises:
        ValueError: something else has registered a metric of one of these names.
    """
    known = _kept(registry, "_sereno_telemetry_consumers", lambda: ConsumerMetrics(registry, bounds))
    if known.bounds != bounds:
        _logger.warning("another consumer of this process shares the registry: its buckets %s stay", known.bounds)
    return known


def job_metrics(registry: CollectorRegistry) -> JobMetrics:
    """The job metrics of `registry`, made at the first call.

    Raises:
        ValueError: something else has registered a metric of one of these names.
    """
    return _kept(registry, "_sereno_telemetry_jobs", lambda: JobMetrics(registry))


def _kept(registry: CollectorRegistry, attribute: str, make: Callable[[], Metrics]) -> Metrics:
    known: Metrics | None = getattr(registry, attribute, None)
    if known is None:
        known = make()
        setattr(registry, attribute, known)  # on the registry itself: it lives exactly as long
    return known
