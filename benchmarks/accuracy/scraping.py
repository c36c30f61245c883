"""What Prometheus stores when it scrapes a target: samples, `up`, process start times and staleness markers."""

from collections.abc import Iterator, Mapping

import numpy as np

from benchmarks.accuracy.counting import Shown
from benchmarks.accuracy.world import SCRAPE_INTERVAL, Flags, Numbers, Observer, Stream, Target, Times
from benchmarks.simulation import AnySeries, Interval, NativeHistograms, Series, is_stale, stale_markers


def stored(target: Target, shown: Shown, observer: Observer, during: Interval) -> Iterator[AnySeries]:
    """All series of one target as one observer stores them.

    Markers as in Prometheus' scrape loop: a series that a scrape no longer brings is marked at that scrape; a failed
    scrape marks all and records `up` 0; when discovery drops the target, all and `up` are marked at the scrape that
    would have been next. An observer that stops marks nothing, and after its start knows no series that ended before.
    """
    running = np.ones(len(shown.times), dtype=np.bool_)
    for outage in observer.down:
        running &= ~outage.holds(shown.times)
    end = _end_of_watch(target, shown, observer, during)
    answered = running & shown.alive

    for histogram in target.histograms:
        counts = shown.counted[list(histogram.classes)].T + histogram.counted_before * _first_process(shown)[:, None]
        times_ms, rows = _with_markers(shown.times, np.arange(len(counts), dtype=np.float64), answered, running, end)
        ended = is_stale(rows)
        buckets = counts[np.where(ended, 0, rows).astype(np.int64)]
        yield NativeHistograms({**histogram.labels, **target.labels}, times_ms, buckets, histogram.lowest, ended)

    def series(labels: Mapping[str, str], present: Flags, values: Numbers) -> Series:
        times_ms, stored_values = _with_markers(shown.times, values, present, running, end)
        return Series({**labels, **target.labels}, times_ms, stored_values)

    yield series({"__name__": "up"}, running, shown.alive.astype(np.float64))
    if target.exposes_process_start:
        yield series({"__name__": "process_start_time_seconds"}, answered, shown.process_started / 1000)
    for stream in target.streams:
        values, exposed = _exposed(stream, shown)
        yield series(stream.labels, answered & exposed, values)
    for gauge in target.gauges:
        yield series(gauge.labels, answered, gauge.value(shown.times))


def _exposed(stream: Stream, shown: Shown) -> tuple[Numbers, Flags]:
    """What the stream's counter holds at each scrape, and whether the process shows it."""
    values = shown.counted[list(stream.counts)].sum(axis=0)
    if stream.counted_before:
        values = values + stream.counted_before * _first_process(shown)
    exposed = values > 0 if stream.born_with_first_event else np.ones(len(values), dtype=np.bool_)
    for interval in stream.hidden:
        exposed &= ~interval.holds(shown.times)
    return values, exposed


def _first_process(shown: Shown) -> Flags:
    """Which scrapes met the process that had run before."""
    first: Flags = shown.process_started == shown.process_started[:1]
    return first


def _end_of_watch(target: Target, shown: Shown, observer: Observer, during: Interval) -> int | None:
    """When the scrape loop, stopped by discovery, marks its series; None where nothing ends or nobody is there."""
    if target.watched.end >= during.end or not len(shown.times):
        return None
    at = int(shown.times[-1]) + SCRAPE_INTERVAL
    return None if any(outage.start <= at < outage.end for outage in observer.down) else at


def _with_markers(
    times: Times, values: Numbers, present: Flags, running: Flags, end: int | None
) -> tuple[Times, Numbers]:
    """The samples that are present, and a marker at each scrape of a running observer that no longer brings one."""
    marks = times[np.flatnonzero(present[:-1] & running[1:] & ~present[1:]) + 1]
    if end is not None and present[-1]:
        marks = np.append(marks, end)
    all_times = np.concatenate([times[present], marks])
    all_values = np.concatenate([values[present], stale_markers(len(marks))])
    order = np.argsort(all_times, kind="stable")
    return all_times[order], all_values[order]
