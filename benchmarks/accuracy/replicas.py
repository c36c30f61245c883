"""Two replicas' data made one, as Mimir's HA tracker and Thanos' querier do.

Both stay with a replica until it falls silent, change to the other one, and stay there when the first comes back.
Sources: Mimir's documentation, "Configure high-availability deduplication" (it elects a replica while samples come in,
and waits for the failover timeout), and Thanos', "Query", section "Deduplication" (it chooses when it is asked, and has
no timeout to wait for).
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from benchmarks.simulation import SECOND, Interval, Series, Server

MIMIR_FAILOVER = 30 * SECOND
"""Mimir's default: so long without samples of the elected replica until the other one is taken."""
THANOS_FAILOVER = 0
_PART = 6 * 3600 * SECOND
_FOR_EVER = 1 << 60


def merge_samples(
    pair: tuple[Iterable[Series], Iterable[Series]],
    down: tuple[Sequence[Interval], Sequence[Interval]],
    failover: int = MIMIR_FAILOVER,
) -> Iterator[Series]:
    """The samples of the replica that is chosen at their time; `down` says when each of the two was silent."""
    chosen = _chosen(down, failover)
    others = {_key(series): series for series in pair[1]}
    for series in pair[0]:
        other = others.pop(_key(series), None)
        first = _only(series, chosen[0])
        yield first if other is None else _joined(first, _only(other, chosen[1]))
    for other in others.values():  # what the first has never seen
        yield _only(other, chosen[1])


def _chosen(
    down: tuple[Sequence[Interval], Sequence[Interval]], failover: int
) -> tuple[list[Interval], list[Interval]]:
    """When each replica is the chosen one; the first is, to begin with."""
    chosen: tuple[list[Interval], list[Interval]] = ([], [])
    replica, since = 0, 0
    while True:
        silences = (
            one.start + failover for one in down[replica] if one.start >= since and one.end > one.start + failover
        )
        until = min(silences, default=_FOR_EVER)
        chosen[replica].append(Interval(since, until))
        if until == _FOR_EVER:
            return chosen
        replica, since = 1 - replica, until


def merge_entries(
    servers: tuple[Server, Server],
    names: Sequence[str],
    during: Interval,
    down: tuple[Sequence[Interval], Sequence[Interval]],
) -> Iterator[Series]:
    """The same for what both have recorded under the given names, as Thanos merges it."""
    for name in names:
        recorded = (read(servers[0], name, during), read(servers[1], name, during))
        yield from merge_samples(recorded, down, THANOS_FAILOVER)


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
        wanted |= interval.holds(series.timestamps_ms)
    return Series(series.labels, series.timestamps_ms[wanted], series.values[wanted])


def _joined(one: Series, other: Series) -> Series:
    times_ms = np.concatenate([one.timestamps_ms, other.timestamps_ms])
    values = np.concatenate([one.values, other.values])
    order = np.argsort(times_ms, kind="stable")
    return Series(one.labels, times_ms[order], values[order])
