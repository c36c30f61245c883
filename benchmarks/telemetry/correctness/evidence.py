"""What a scenario left behind: answers, counts, clocks, series, spans."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from opentelemetry.sdk.trace import ReadableSpan
from prometheus_client import CollectorRegistry

from benchmarks.telemetry.driving import Answer
from benchmarks.telemetry.instruments import Naming

Series = frozenset[tuple[str, tuple[tuple[str, str], ...]]]


class Counted(NamedTuple):
    """What requests were counted as."""

    route: str
    method: str
    code: str
    error: str


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a scenario."""

    path: str
    method: str = "GET"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    root_path: str = ""
    is_body_cut: bool = False
    """Whether the client leaves before its body is complete."""
    leaves_after: int | None = None
    """After how many messages of the answer the client leaves."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of one scenario with one instrumentation."""

    answers: Sequence[Answer]
    counts: Mapping[Counted, int]
    """Requests counted by the scenario, however they are called."""
    seconds: float
    """What its clock says of all of them together."""
    series_after_first: Series
    series_after_all: Series
    active_during: float | None
    """Requests in progress as one of them saw it; None if none of them looked."""
    active_after: float
    spans: Sequence[ReadableSpan]

    @property
    def total(self) -> int:
        """Requests counted."""
        return sum(self.counts.values())


def read_counts(registry: CollectorRegistry, naming: Naming) -> dict[Counted, int]:
    """The request counts that the registry holds."""
    counts: dict[Counted, int] = {}
    for sample in _samples(registry):
        if sample.name == naming.count and sample.value:
            labels = sample.labels
            key = Counted(
                labels.get(naming.route, ""),
                labels.get(naming.method, ""),
                labels.get(naming.code, ""),
                labels.get(naming.error, ""),
            )
            counts[key] = counts.get(key, 0) + int(sample.value)
    return counts


def read_sum(registry: CollectorRegistry, name: str) -> float:
    """All samples of that name together."""
    return sum((float(sample.value) for sample in _samples(registry) if sample.name == name), 0.0)


def read_series(registry: CollectorRegistry) -> Series:
    """Every series that a scrape would bring."""
    return frozenset((sample.name, tuple(sorted(sample.labels.items()))) for sample in _samples(registry))


def difference(after: Mapping[Counted, int], before: Mapping[Counted, int]) -> dict[Counted, int]:
    """What was counted in between."""
    return {key: count - before.get(key, 0) for key, count in after.items() if count != before.get(key, 0)}


def _samples(registry: CollectorRegistry) -> Iterable[Any]:
    for family in registry.collect():
        yield from family.samples
