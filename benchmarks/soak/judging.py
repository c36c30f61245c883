"""Is it flat? Each process' last three quarters of the time, when caches are warm."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.soak.sampling import Sample
from benchmarks.soak.slopes import Slope, theil_sen

MEGABYTE = 1_000_000
LIMIT_BYTES_AN_HOUR = 2 * MEGABYTE
"""A part that grows so much an hour takes another half gigabyte in ten days: longer than most live between two
deployments. Less than that can't be told from an allocator's noise in an hour."""
MOST_MORE = 8
"""Of files and threads: connections come and go with requests that are under way."""
MOST_LOG_BYTES = 40 * MEGABYTE
"""Twice the size at which the queue cuts its write-ahead log back; the others' are smaller."""
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Growth:
    """What became of one process."""

    part: str
    samples: int
    first_bytes: int
    last_bytes: int
    slope: Slope
    """Of its anonymous memory, in bytes an hour."""
    files: tuple[int, int]
    """Most that were open in the second and in the last quarter."""
    threads: tuple[int, int]

    @property
    def flat(self) -> bool:
        """Its memory grows, with a confidence of 95 %, by less than the limit; files and threads don't at all."""
        counts = all(after - before <= MOST_MORE for before, after in (self.files, self.threads))
        return self.samples > 0 and counts and self.slope.high < LIMIT_BYTES_AN_HOUR


def growth(part: str, samples: Sequence[Sample]) -> Growth:
    """Judge one process; the first quarter of its samples is its start."""
    quarter = max(1, len(samples) // 4)
    settled = samples[quarter:] or samples
    second, last = settled[:quarter], settled[-quarter:]
    slope = theil_sen([(each.seconds, float(each.anonymous_bytes)) for each in settled])
    return Growth(
        part,
        len(samples),
        settled[0].anonymous_bytes if settled else 0,
        settled[-1].anonymous_bytes if settled else 0,
        Slope(slope.estimate * _HOUR, slope.low * _HOUR, slope.high * _HOUR),
        (max((each.open_files for each in second), default=0), max((each.open_files for each in last), default=0)),
        (max((each.threads for each in second), default=0), max((each.threads for each in last), default=0)),
    )


def in_megabytes(slope: Slope) -> str:
    """`0.12 (-0.30 … 0.41)`."""
    shown = (slope.estimate, slope.low, slope.high)
    estimate, low, high = (f"{each / MEGABYTE:.2f}" if math.isfinite(each) else "?" for each in shown)
    return f"{estimate} ({low} … {high})"
