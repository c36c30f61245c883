"""The words of an exporter: a kind has targets, a target has parts, a part is fetched and then becomes families."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from pydantic import BaseModel

from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.trouble import FetchError, Reason

TARGET_LABEL = "target"
"""The frame puts it on every series: the target's name in the configuration."""
FORBIDDEN_LABELS = frozenset({"type", "env", "region", "job", "instance", TARGET_LABEL})
"""Prometheus or its users mean something else by them."""

Snapshot = TypeVar("Snapshot")
Settings = TypeVar("Settings", bound=BaseModel)


class FamilyKind(StrEnum):
    """A gauge goes up and down; a counter only up, and begins again at 0."""

    GAUGE = "gauge"
    COUNTER = "counter"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Family:
    """A metric family as it is documented; what is served is made of it, so that both agree."""

    name: str
    """With its unit, and `_total` for counters, as queries write it."""
    kind: FamilyKind
    help: str
    labels: tuple[str, ...] = ()
    """Without `target`, which the frame adds."""

    def __post_init__(self) -> None:
        """Keep what conventions.md says of names and labels."""
        if wrong := FORBIDDEN_LABELS.intersection(self.labels):
            raise ValueError(f"{self.name}: no label may be called {', '.join(sorted(wrong))}")
        if (self.kind is FamilyKind.COUNTER) != self.name.endswith("_total"):
            raise ValueError(f"{self.name}: counters, and only they, end with _total")

    def of(self, samples: Iterable[tuple[Sequence[str], float]]) -> Metric:
        """The family with these samples: values of its labels, in order, and the value."""
        metric: CounterMetricFamily | GaugeMetricFamily
        if self.kind is FamilyKind.COUNTER:
            metric = CounterMetricFamily(self.name, self.help, labels=self.labels)
        else:
            metric = GaugeMetricFamily(self.name, self.help, labels=self.labels)
        for labels, value in samples:
            metric.add_metric(labels, value)
        return metric

    def value(self, value: float) -> Metric:
        """The family with one sample that has no labels."""
        return self.of([((), value)])

    def info(self, samples: Iterable[Mapping[str, str]]) -> Metric:
        """An info family: 1 for each set of labels."""
        metric = InfoMetricFamily(self.name.removesuffix("_info"), self.help, labels=())
        for labels in samples:
            metric.add_metric((), dict(labels))
        return metric


@dataclass(frozen=True, slots=True)
class Part(Generic[Snapshot]):
    """What is fetched by itself, and fails by itself."""

    name: str
    """A word with underscores; value of the label `part`."""
    fetch: Callable[[Deadline], Snapshot]
    """The only I/O. It looks at the deadline, and raises `FetchError`; anything else that it raises is a bug.

    It may be called from any thread, but never twice at the same time.
    """
    families: Callable[[Snapshot], Iterable[Metric]]
    """Pure: no clock, no network, no state."""
    reuse_seconds: float = 0.0
    """For what is dear: a snapshot serves scrapes for so long, and its age is exposed. 0: each scrape fetches."""
    asks_target: bool = True
    """False: it tells of the exporter itself, also while the target is away; `up` doesn't look at it."""


class Source(Protocol):
    """A target that is configured; making one opens nothing yet."""

    @property
    def parts(self) -> Sequence[Part[Any]]:
        """Always the same ones."""
        ...

    def close(self) -> None:
        """Free what it holds open."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """A source that is nothing but its parts."""

    parts: tuple[Part[Any], ...]
    on_close: Callable[[], object] = nullcontext

    def close(self) -> None:
        """Free what it holds open."""
        self.on_close()


@dataclass(frozen=True, slots=True)
class Target(Generic[Settings]):
    """One target as the configuration names it."""

    name: str
    settings: Settings
    folder: Path
    """Of the configuration file: relative paths in it begin there."""

    def file(self, written: Path) -> Path:
        """A path of the settings, absolute or beside the configuration."""
        return self.folder / written

    def secret(self, written: Path) -> str:
        """What is in a file of the settings now; secrets are read anew for each fetch, so that they can be rotated.

        Raises:
            FetchError: it can't be read, or is empty.
        """
        path = self.file(written)
        try:
            text = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
            raise FetchError(Reason.CONFIGURATION, f"the file {path} can't be read: {reason}") from error
        if not text:
            raise FetchError(Reason.CONFIGURATION, f"the file {path} is empty")
        return text


@dataclass(frozen=True, slots=True)
class ExporterKind(Generic[Settings]):
    """One exporter: everything that the frame, the commands and the documentation know of it."""

    name: str
    """As users call it: `sereno exporter NAME`; lower-case, with underscores."""
    summary: str
    """One line for `sereno exporter list`."""
    settings: type[Settings]
    """What one target says in the configuration: a frozen, strict pydantic model, with examples for messages."""
    connect: Callable[[Target[Settings]], Source]
    """It opens nothing yet, and raises nothing of the outside world."""
    families: tuple[Family, ...]
    """All that it may serve, beside the frame's own."""
