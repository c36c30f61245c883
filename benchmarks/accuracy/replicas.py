"""Two replicas' data made one, as Mimir's HA tracker and Thanos do: one replica, the other where that has a gap."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from benchmarks.simulation import SECOND, Interval, Series, Server

# Mimir's default: only after so long without samples of the elected replica is the other one taken.
FAILOVER = 30 * SECOND
_PART = 6 * 3600 * SECOND


def merge_samples(
    first: Iterable[Series], second: Iterable[Series], first_down: Sequence[Interval]
) -> Iterator[Series]:
    """The first replica's samples; while it is down, from the failover on, the second's."""
    others = {_key(series): series for series in second}
    for series in first:
        other = others.pop(_key(series), None)
        yield series if other is None else _joined(series, _only(other, first_down))
    for other in others.values():  # what the first has never seen
        yield _only(other, first_down)


def merge_entries(
    first: Server, second: Server, names: Sequence[str], during: Interval, first_down: Sequence[Interval]
) -> Iterator[Series]:
    """The same for what both have recorded under the given names."""
    for name in names:
        yield from merge_samples(read(first, name, during), read(second, name, during), first_down)


def read(server: Server, name: str, during: Interval) -> list[Series]:
    """All samples of a metric, without staleness markers (a range selector leaves them out)."""
    parts: dict[tuple[tuple[str, str], ...], list[list[tuple[float, str]]]] = {}
    for end in range(during.start + _PART, during.end + _PART, _PART):
        # A millisecond more: ranges of 3.x are open on the left. What comes twice on 2.x is dropped below.
        for one in server.query(f"{name}[{_PART + 1}ms]", end)["result"]:
            parts.setdefault(tuple(sorted(one["metric"].items())), []).append(one["values"])
    found = []
    for labels, pieces in parts.items():
        values = sorted({time: value for piece in pieces for time, value in piece}.items())
        times_ms = np.rint(1000 * np.array([time for time, _ in values])).astype(np.int64)
        found.append(Series(dict(labels), times_ms, np.array([float(value) for _, value in values])))
    return found


def _key(series: Series) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(series.labels.items()))


def _only(series: Series, intervals: Sequence[Interval]) -> Series:
    wanted = np.zeros(len(series.values), dtype=np.bool_)
    for interval in intervals:
        wanted |= Interval(interval.start + FAILOVER, interval.end).holds(series.timestamps_ms)
    return Series(series.labels, series.timestamps_ms[wanted], series.values[wanted])


def _joined(one: Series, other: Series) -> Series:
    times_ms = np.concatenate([one.timestamps_ms, other.timestamps_ms])
    values = np.concatenate([one.values, other.values])
    order = np.argsort(times_ms, kind="stable")
    return Series(one.labels, times_ms[order], values[order])
