"""Scheduled jobs and batches: how long runs take, when one last began and last ended well, what went through them."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Literal, TypeVar

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import SpanKind, TracerProvider
from prometheus_client import REGISTRY, CollectorRegistry, pushadd_to_gateway
from prometheus_client.metrics_core import Metric

from sereno_telemetry.work.forms import Watch, watched
from sereno_telemetry.work.guarding import guarded
from sereno_telemetry.work.job_families import JobFamilies
from sereno_telemetry.work.job_files import Families, JobFile, RunOnDisk, State
from sereno_telemetry.work.metrics import job_metrics
from sereno_telemetry.work.run import Run, in_run
from sereno_telemetry.work.spans import Attachment, Spans, note_failed_work, trace_id_of

Function = TypeVar("Function", bound=Callable[..., Any])

_LAST_SUCCESS = "job_last_success_timestamp_seconds"
_PUSH_SECONDS = 5.0


class Job:
    """One job, for the life of the process; its runs may overlap in threads, tasks and processes.

        nightly = Job("nightly-import", textfile=Path("/var/lib/node_exporter/textfile_collector"))

        @nightly
        def import_everything(): ...

        with nightly.running() as run:                    # or by hand, also as `async with`
            run.rows("parse", read=100, written=98, rejected=2)

    Args:
        name: the job's name, in the label `job_name`.
        registry: where the metrics go; None is prometheus_client's global registry.
        textfile: the folder of node_exporter's textfile collector, for processes that end before anybody scrapes
            them. Sums over runs, the last success and the locks by which overlapping and killed runs are seen are
            kept there, as files of this job.
        pushgateway: address of a Pushgateway that is told the end of each run. Without `textfile` it gets gauges only:
            there is nothing that could carry counters from one process to the next.
        flush: called after each run, for metrics or spans that are pushed and would be lost with the process.
        tracer_provider: what makes spans; None is the process's own.
        clock: seconds since the epoch.

    Raises:
        ValueError: the name is empty or too long for a file, or the registry has a metric of one of our names.
    """

    def __init__(
        self,
        name: str,
        *,
        registry: CollectorRegistry | None = None,
        textfile: Path | None = None,
        pushgateway: str | None = None,
        flush: Callable[[], object] | None = None,
        tracer_provider: TracerProvider | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not name:
            raise ValueError('a job needs a name: Job("nightly-import")')
        self.name = name
        self.metrics = job_metrics(registry or REGISTRY)
        self.health = self.metrics.health
        self.spans = Spans(tracer_provider, self.health)
        self.file = JobFile(textfile, name) if textfile is not None else None
        self.pushgateway = pushgateway
        self.flush = flush
        self.clock = clock
        self._lock = threading.Lock()
        self._running = 0
        self.metrics.running.child(name)
        self.metrics.overlaps.child(name)
        self.metrics.runs.child(name, "ok")
        self.metrics.runs.child(name, "failed")
        with guarded(self.health, "reading what a job left behind"):
            self._restore()

    def running(self) -> "Running":
        """Around one run; a context manager."""
        return Running(self)

    def __call__(self, function: Function) -> Function:
        """Decorate what a run is: sync, async or generator. Within it, `current_run()` is the run."""
        return watched(function, lambda _arguments: Running(self))

    def enter(self) -> bool:
        """Count a run in; whether another is in progress in this process."""
        with self._lock:
            self._running += 1
            return self._running > 1

    def leave(self) -> None:
        """Count a run out."""
        with self._lock:
            self._running -= 1

    def _restore(self) -> None:
        """The last success is known from the start, also before the first run of this process."""
        if self.file is not None:
            labels = (("job_name", self.name),)
            moment = self.file.state().get((_LAST_SUCCESS, labels))
            if moment is not None:
                self.metrics.last_success.child(self.name).set(moment)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended."""

    outcome: Literal["ok", "failed"]
    seconds: float
    succeeded_at: float | None
    """Seconds since the epoch; None if it failed."""


class Running(Watch[Run]):
    """One run, from its beginning to its end. Nothing in here raises."""

    def __init__(self, job: Job) -> None:
        self.subject = Run(job.name, job.metrics)
        self._job = job
        self._health = job.health
        self._on_disk = RunOnDisk(job.file, self._note_unreadable) if job.file is not None else None
        self._counted = False
        self._span: trace.Span = trace.INVALID_SPAN
        self._attachment: Attachment | None = None
        self._started_seconds = 0.0
        self._clock_started = 0.0

    def begin(self) -> None:
        """Count the run in, begin the span, start the clock."""
        with guarded(self._health, "noting the start of a run"):
            self._started_seconds = self._job.clock()
        overlaps = False
        with guarded(self._health, "looking for a run that overlaps"):
            overlaps = self._job.enter()
            self._counted = True
        with guarded(self._health, "writing the beginning of a run"):
            if self._on_disk is not None:
                self._on_disk.begin(self._beginning)
                overlaps = overlaps or self._on_disk.overlaps
        with guarded(self._health, "counting a run in"):
            self._count_in(overlaps=overlaps)
        with guarded(self._health, "starting the span of a run"):
            self._begin_span()
        self._clock_started = perf_counter()

    def resume(self) -> None:
        """Make the run's context current."""
        if self._attachment is not None:
            self._attachment.attach()

    def suspend(self) -> None:
        """Bring back the context before."""
        if self._attachment is not None:
            self._attachment.detach()

    def end(self, error: BaseException | None) -> None:
        """Stop the clock, count what came of it, write and push it."""
        seconds = perf_counter() - self._clock_started
        failure = type(error).__qualname__ if error is not None else self.subject.failure
        if error is not None:
            with guarded(self._health, "noting which run failed"):
                note_failed_work(error, self._span, "job", self._job.name)
        ending = Ending("ok" if failure is None else "failed", seconds, None)
        with guarded(self._health, "noting the end of a run"):
            if failure is None:
                ending = Ending("ok", seconds, self._job.clock())
        with guarded(self._health, "counting a run"):
            if self._counted:
                self._job.leave()
                self._job.metrics.running.child(self._job.name).dec()
            self._count(ending)
        self._job.spans.end(self._span, error, {"error.type": failure} if failure else {}, failure)
        self._tell(ending)
        with guarded(self._health, "flushing after a run"):
            if self._job.flush is not None:
                self._job.flush()

    def _begin_span(self) -> None:
        above = otel_context.get_current()
        self._span = self._job.spans.begin(
            f"job {self._job.name}", SpanKind.INTERNAL, parent=above, attributes={"job.name": self._job.name}
        )
        context = trace.set_span_in_context(self._span, above)
        self._attachment = Attachment(in_run(context, self.subject), self._health)

    def _count_in(self, *, overlaps: bool) -> None:
        metrics, name = self._job.metrics, self._job.name
        metrics.running.child(name).inc()
        metrics.last_start.child(name).set(self._started_seconds)
        if overlaps:
            metrics.overlaps.child(name).inc()

    def _count(self, ending: "Ending") -> None:
        metrics, name = self._job.metrics, self._job.name
        metrics.runs.child(name, ending.outcome).inc()
        metrics.duration.child(name, ending.outcome).observe(ending.seconds, trace_id_of(self._span))
        metrics.last_duration.child(name).set(ending.seconds)
        if ending.succeeded_at is not None:
            metrics.last_success.child(name).set(ending.succeeded_at)

    def _tell(self, ending: "Ending") -> None:
        """Write the textfile, and push."""
        written: tuple[Metric, ...] | None = None
        with guarded(self._health, "writing the end of a run"):
            if self._on_disk is not None:
                written = self._on_disk.end(lambda others: self._families_of(ending, others=others).all())
        with guarded(self._health, "pushing the end of a run"):
            if self._job.pushgateway is not None:
                if written is None:
                    alone = self._families_of(ending, others=False)
                    alone.set("job_last_start_timestamp_seconds", self._started_seconds)
                    written = alone.gauges()
                # pushadd replaces the families that it brings: a failed run brings no last success, the older stays.
                collector: Any = Families(written)
                pushadd_to_gateway(self._job.pushgateway, self._job.name, collector, timeout=_PUSH_SECONDS)

    def _beginning(self, before: State, overlaps: bool) -> Iterable[Metric]:
        """What the file says at the beginning; a run that says it is in progress, and isn't there, was killed."""
        families = JobFamilies(self._job.name)
        families.set("job_running", 1.0)
        families.set("job_last_start_timestamp_seconds", self._started_seconds)
        families.count("job_overlaps", float(overlaps))
        killed = not overlaps and before.get(("job_running", (("job_name", self._job.name),)), 0.0) > 0
        for outcome, count in (("ok", 0.0), ("failed", 0.0), ("killed", float(killed))):
            families.count("job_runs", count, outcome=outcome)
        if killed:
            self._job.metrics.runs.child(self._job.name, "killed").inc()
        return families.all()

    def _families_of(self, ending: "Ending", *, others: bool) -> JobFamilies:
        families = JobFamilies(self._job.name)
        families.count("job_runs", 1.0, outcome=ending.outcome)
        families.observe("job_duration_seconds", ending.seconds, outcome=ending.outcome)
        families.set("job_last_duration_seconds", ending.seconds)
        families.set("job_running", float(others))
        if ending.succeeded_at is not None:
            families.set("job_last_success_timestamp_seconds", ending.succeeded_at)
        for (stage, direction), count in self.subject.rows_so_far().items():
            families.count("job_rows", count, stage=stage, direction=direction)
        return families

    def _note_unreadable(self, error: Exception) -> None:
        self._health.note(error, doing="reading what a job left behind")
