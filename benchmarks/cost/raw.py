"""The raw series that one SLO reads: counters of a few targets, scraped every 30 seconds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from benchmarks.cost.counting import Known
from benchmarks.simulation import DAY, SECOND, Series

SCRAPE_INTERVAL_MS = 30 * SECOND
JOB = "shop"
PATHS = 5
"""Values of the label `path`, by which the grouped SLO is grouped."""
_EVENTS_PER_SECOND = 1.0
_BAD_EVENTS_PER_SECOND = 0.0002
"""Below every objective measured here, so that no alert fires: annotations of firing alerts are a cost of their own."""
_PROCESS_AGE_MS = 40 * DAY


class Kind(StrEnum):
    """What an SLO is about."""

    RATIO = "ratio"
    LATENCY = "latency"
    GROUPED = "ratio, grouped"


@dataclass(frozen=True, slots=True)
class Size:
    """How much one SLO reads: for a latency SLO half of the raw series are `_count`, half the threshold's buckets."""

    raw_series: int
    targets: int

    @property
    def error_series(self) -> int:
        """The series of `http_requests_total` that count errors: a tenth, at least one."""
        return max(1, self.raw_series // 10)


SIZES = (Size(10, 2), Size(200, 10), Size(2000, 40))


@dataclass(frozen=True, slots=True)
class RawSeries:
    """One series that is scraped, as a straight line."""

    labels: Mapping[str, str]
    value_at_end: float
    per_second: float
    phase_ms: int
    """How long before the end its target was scraped last."""

    def samples(self, end_ms: int, history_ms: int) -> Series:
        """Its samples during the history, the newest at most one scrape interval old."""
        count = history_ms // SCRAPE_INTERVAL_MS + 1
        times_ms = end_ms - self.phase_ms - SCRAPE_INTERVAL_MS * np.arange(count, dtype=np.int64)[::-1]
        age_seconds = (end_ms - times_ms) / SECOND
        return Series(self.labels, times_ms, np.floor(self.value_at_end - self.per_second * age_seconds))

    def known(self) -> Known:
        """The series for counting by hand."""
        return Known(self.labels, SCRAPE_INTERVAL_MS)


def raw_series(size: Size, end_ms: int) -> Iterator[RawSeries]:
    """Everything that is scraped: counters, histograms, and what says which targets live."""
    for index in range(size.raw_series):
        bad = index < size.error_series
        within = index if bad else index - size.error_series
        labels = _labels(size, within) | {"__name__": "http_requests_total", "code": "500" if bad else "200"}
        yield _counter(size, within, labels, bad=bad)
    for index in range(size.raw_series // 2):
        for labels in (
            {"__name__": "http_request_duration_seconds_count"},
            {"__name__": "http_request_duration_seconds_bucket", "le": "0.25"},
        ):
            yield _counter(size, index, _labels(size, index) | labels, bad=False)
    for target in range(size.targets):
        labels = {"job": JOB, "instance": _instance(target)}
        yield RawSeries(labels | {"__name__": "up"}, 1.0, 0.0, _phase_ms(target))
        born = (end_ms - _PROCESS_AGE_MS) / SECOND
        yield RawSeries(labels | {"__name__": "process_start_time_seconds"}, born, 0.0, _phase_ms(target))


def _counter(size: Size, index: int, labels: Mapping[str, str], *, bad: bool) -> RawSeries:
    per_second = _BAD_EVENTS_PER_SECOND if bad else _EVENTS_PER_SECOND
    return RawSeries(labels, per_second * _PROCESS_AGE_MS / SECOND, per_second, _phase_ms(index % size.targets))


def _labels(size: Size, index: int) -> dict[str, str]:
    place = index // size.targets
    return {
        "job": JOB,
        "instance": _instance(index % size.targets),
        "path": f"/path-{(place + index % size.targets) % PATHS}",
        "handler": f"handler-{place // PATHS}",
    }


def _instance(target: int) -> str:
    return f"10.0.0.{target}:8080"


def _phase_ms(target: int) -> int:
    return (7 * SECOND * target + SECOND) % SCRAPE_INTERVAL_MS
