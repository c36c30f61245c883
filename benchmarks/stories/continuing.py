"""Hours of a system out of minutes of it: a slow fault is steady, what it does in a minute it does in the next, too.

Counters go on at the rate that they had; gauges repeat what they were; moments keep their distance from now. That
holds for faults that settle at once and stay as they are, which is what `slow: true` in a system.yaml promises; a queue
that grows for ever is none of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.simulation import SECOND, Series
from benchmarks.stories.recording import Raw, Stretch

SCRAPE = 30 * SECOND
_MOMENT = "_timestamp_seconds"
_START = "process_start_time_seconds"
_BEFORE_SECONDS = 86_400.0
_SCRAPED_WITHIN_SECONDS = 20.0
"""What is there at the beginning of a stretch has been scraped by then; what comes later was born within it."""

Key = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Phase:
    """So long, in milliseconds, everything is as in the stretch."""

    stretch: Stretch
    length: int


def continued(phases: Sequence[Phase], begin: int) -> Iterator[Series]:
    """Every series of the phases, one after the other, from `begin` (milliseconds since 1970) on."""
    by_key = [{raw.key: raw for raw in phase.stretch.series} for phase in phases]
    for key in sorted(set().union(*by_key)):
        yield _series(key, [(phase, known.get(key)) for phase, known in zip(phases, by_key, strict=True)], begin)


def _series(key: Key, parts: Sequence[tuple[Phase, Raw | None]], begin: int) -> Series:
    name = dict(key)["__name__"]
    is_counter = any(raw is not None and raw.is_counter for _, raw in parts)
    start, total = begin, 0.0
    known = False
    times, values = [], []
    for phase, raw in parts:
        ticks = np.arange(start, start + phase.length, SCRAPE, dtype=np.int64)
        start += phase.length
        if is_counter:
            if raw is None and not known:
                continue  # it comes into being later, as counters of errors do
            known = True
            counted = total + _rate(raw, phase.stretch) * (ticks - ticks[0] + SCRAPE) / SECOND
            total = float(counted[-1])
            values.append(counted)
        elif raw is None:
            continue
        else:
            values.append(_gauge(name, raw, ticks, begin))
        times.append(ticks)
    return Series(dict(key), np.concatenate(times), np.concatenate(values))


def _rate(raw: Raw | None, stretch: Stretch) -> float:
    """Per second; a counter that nobody moves any more stays."""
    if raw is None:
        return 0.0
    steps = np.diff(raw.values)
    # After a restart it counts from zero: what it shows is what came.
    moved = np.where(steps < 0, raw.values[1:], steps).sum()
    if raw.times_seconds[0] > stretch.begin_seconds + _SCRAPED_WITHIN_SECONDS:
        # Born within: errors of a kind that there hadn't been. Rare ones are often all that there is of them.
        return float((raw.values[0] + moved) / stretch.seconds)
    seen_seconds = raw.times_seconds[-1] - raw.times_seconds[0]
    return float(moved / seen_seconds) if seen_seconds else 0.0


def _gauge(name: str, raw: Raw, ticks: NDArray[np.int64], begin: int) -> NDArray[np.float64]:
    if name == _START:
        return np.full(len(ticks), begin / SECOND - _BEFORE_SECONDS)  # nothing restarts in the simulated time
    chosen = np.arange(len(ticks)) % len(raw.values)
    if name.endswith(_MOMENT):
        return ticks / SECOND + (raw.values - raw.times_seconds)[chosen]
    return raw.values[chosen]
