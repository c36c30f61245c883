"""A run of a job as the application sees it: what went through it, and whether it failed."""

import contextlib
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TypeVar

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from sereno_telemetry.work.guarding import guarded
from sereno_telemetry.work.metrics import JobMetrics

Item = TypeVar("Item")

_RUN = otel_context.create_key("sereno-telemetry-run")


class Run:
    """A run in progress; the application says here what goes through it. No method raises."""

    def __init__(self, job: str, metrics: JobMetrics | None) -> None:
        self.failure: str | None = None
        self._job = job
        self._metrics = metrics
        self._rows: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def rows(self, stage: str, *, read: int = 0, written: int = 0, rejected: int = 0) -> None:
        """Count rows that a stage took in, put out or rejected."""
        if self._metrics is None:
            return
        with guarded(self._metrics.health, "counting rows"):
            for direction, count in (("in", read), ("out", written), ("rejected", rejected)):
                if count:
                    self._metrics.rows.child(self._job, stage, direction).inc(count)
                    with self._lock:
                        self._rows[stage, direction] += count

    def reading(self, stage: str, rows: Iterable[Item]) -> Iterator[Item]:
        """The rows as they are, each counted as taken in by the stage."""
        for row in rows:
            self.rows(stage, read=1)
            yield row

    def fail(self, reason: str = "") -> None:
        """The run failed, though no exception leaves it."""
        self.failure = reason or "failed"

    def rows_so_far(self) -> Counter[tuple[str, str]]:
        """Rows by stage and direction."""
        with self._lock:
            return Counter(self._rows)


def in_run(context: Context, run: Run) -> Context:
    """`context` with `run` as the one that goes on."""
    return otel_context.set_value(_RUN, run, context)


def current_run() -> Run:
    """The run that goes on here; outside of one, one that nobody looks at. Never raises."""
    with contextlib.suppress(Exception):
        run = otel_context.get_value(_RUN)
        if isinstance(run, Run):
            return run
    return Run("", None)
