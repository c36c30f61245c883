"""What a job leaves behind on disk for node_exporter's textfile collector, and knows again in its next process.

Counters are sums over all runs: what the file holds is read, the run's own samples are added, and the file is replaced
as a whole. Gauges are those of the run, where it has any: a run that fails has no last success, so the older one
stays. All files are those of one job; its runs may overlap, also in several processes.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from prometheus_client import write_to_textfile
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from sereno_telemetry.metrics.families import OVERFLOW
from sereno_telemetry.work.metrics import MOST_STAGES

Key = tuple[str, tuple[tuple[str, str], ...]]
State = Mapping[Key, float]
"""Samples by name and sorted labels."""

_LOCK_PATIENCE_SECONDS = 2.0
_LOCK_INTERVAL_SECONDS = 0.02
_LONGEST_NAME = 180


class Families(Collector):
    """Families as they are, for prometheus_client's writers."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = tuple(families)

    def collect(self) -> Iterable[Metric]:
        """The families."""
        return self._families


class JobFile:
    """The file `job_<name>.prom` in `folder`, and two locks beside it, whose names begin with a dot.

    Raises:
        ValueError: the name is too long.
    """

    def __init__(self, folder: Path, job: str) -> None:
        name = f"job_{quote(job, safe='')}"
        if len(name) > _LONGEST_NAME:
            raise ValueError(f"the name of the job {job[:40]}… is too long for a file's name")
        self.path = folder / f"{name}.prom"
        self.presence = folder / f".{name}.running"
        self._lock = folder / f".{name}.lock"

    def state(self) -> State:
        """What the file holds; empty if there is none.

        Raises:
            OSError: it can't be read.
            ValueError: it isn't in Prometheus's text format.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        try:
            families = tuple(text_string_to_metric_families(text))
        except Exception as error:  # the parser of prometheus_client raises what comes to it
            raise ValueError(f"{self.path} isn't in Prometheus's text format: {error}") from error
        return {_key(sample): sample.value for family in families for sample in family.samples}

    def write(self, before: State, families: Iterable[Metric]) -> tuple[Metric, ...]:
        """Replace the file by these families with what was there before; what is written. Raises `OSError`."""
        after = tuple(merged(before, families))
        write_to_textfile(str(self.path), Families(after))
        self.path.chmod(0o644)  # node_exporter reads it as somebody else, whatever the umask of a cron job is
        return after

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let nobody else read and write.

        Raises:
            OSError: the folder isn't there or can't be written, or another process holds the lock for two seconds.
        """
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            _acquire(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


class RunOnDisk:
    """One run as the file sees it. That it goes on is a lock, which the kernel takes away if the process is killed."""

    def __init__(self, file: JobFile, noting: Callable[[Exception], None]) -> None:
        self._file = file
        self._noting = noting
        self._presence: int | None = None
        self.overlaps = False
        """Whether another run was in progress when this one began."""

    def begin(self, families: Callable[[State, bool], Iterable[Metric]]) -> None:
        """Say that the run is in progress, and write the families that are made from the state and `overlaps`.

        Raises:
            OSError: what was there can't be read, or the families can't be written.
        """
        with self._file.locked():
            presence = os.open(self._file.presence, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            self._presence = presence
            self.overlaps = not _try(presence, fcntl.LOCK_EX)
            _acquire(presence, fcntl.LOCK_SH)  # all that run hold it together
            before = self._state()
            self._file.write(before, families(before, self.overlaps))

    def end(self, families: Callable[[bool], Iterable[Metric]]) -> tuple[Metric, ...]:
        """Write the families, made from whether another run is still in progress; what the file says now.

        Raises:
            OSError: that can't be written.
        """
        try:
            # The lock ends within the other one: of two runs that end together the last one knows that it is.
            with self._file.locked():
                try:
                    others = self._presence is not None and not _try(self._presence, fcntl.LOCK_EX)
                    return self._file.write(self._state(), families(others))
                finally:
                    self._leave()
        finally:
            self._leave()  # where the file's lock couldn't be had

    def _leave(self) -> None:
        presence, self._presence = self._presence, None
        if presence is not None:
            os.close(presence)

    def _state(self) -> State:
        try:
            return self._file.state()
        except ValueError as error:  # not OSError: what can't be read now may be read by the next run
            self._noting(error)
            return {}


def merged(before: State, families: Iterable[Metric]) -> Iterator[Metric]:
    """The families with what was there before: counters and histograms added up, gauges kept where there is no newer.

    Stages beyond their limit are counted together, as within a process.
    """
    stages = {dict(labels).get("stage") for _, labels in before}
    for family in families:
        values: dict[Key, float] = {}
        for sample in family.samples:
            if sample.name.endswith("_created"):
                continue
            key = _within_limit(_key(sample), stages)
            start = 0.0 if family.type == "gauge" else before.get(key, 0.0)
            values[key] = values.get(key, start) + sample.value
        own = _sample_names(family)
        kept = {key: value for key, value in before.items() if key[0] in own}
        total = Metric(family.name, family.documentation, family.type)
        for name, labels in sorted(kept | values, key=_order):
            key = (name, labels)
            total.add_sample(name, dict(labels), values[key] if key in values else kept[key])
        if total.samples:  # a Pushgateway takes an empty family for "there is none any more"
            yield total


def _within_limit(key: Key, stages: set[str | None]) -> Key:
    name, labels = key
    stage = dict(labels).get("stage")
    if stage is None or stage in stages:
        return key
    if len(stages) < MOST_STAGES:
        stages.add(stage)
        return key
    return name, tuple((label, OVERFLOW if label == "stage" else value) for label, value in labels)


def _sample_names(family: Metric) -> frozenset[str]:
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}.get(family.type, ("",))
    return frozenset(f"{family.name}{suffix}" for suffix in suffixes)


def _key(sample: Sample) -> Key:
    return sample.name, tuple(sorted(sample.labels.items()))


def _order(key: Key) -> tuple[str, list[tuple[str, str]], float]:
    """The buckets of a histogram stand together, in the order of their bounds."""
    name, labels = key
    return name, [label for label in labels if label[0] != "le"], float(dict(labels).get("le", "0"))


def _acquire(descriptor: int, operation: int) -> None:
    """Take a lock that others hold for moments only.

    Raises:
        TimeoutError: it is held for two seconds.
    """
    deadline = time.monotonic() + _LOCK_PATIENCE_SECONDS
    while not _try(descriptor, operation):
        if time.monotonic() > deadline:
            raise TimeoutError("another process holds the lock of this job's file")
        time.sleep(_LOCK_INTERVAL_SECONDS)


def _try(descriptor: int, operation: int) -> bool:
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
