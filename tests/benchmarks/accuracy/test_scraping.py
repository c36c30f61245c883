"""What Prometheus stores of a target, staleness markers included."""

from typing import Any

import numpy as np
from support.accuracy import DURING, moments, stretch, target

from benchmarks.accuracy.counting import count
from benchmarks.accuracy.scenarios.traffic import BAD
from benchmarks.accuracy.scraping import stored
from benchmarks.accuracy.world import NativeHistogram, Observer, Stream, Target
from benchmarks.simulation import NativeHistograms, Series, is_stale

STALE = "stale"


def stored_samples(one: Target, observer: Observer | None = None) -> dict[str, dict[float, Any]]:
    """Metric to seconds after the start to value."""
    observer = observer or Observer()
    found = count(one, (observer,), DURING, DURING, np.random.default_rng(1))
    samples = {}
    for series in stored(one, found.shown[0], observer, DURING):
        assert isinstance(series, Series)
        assert series.labels["instance"] == "a"
        stale = is_stale(series.values)
        samples[series.labels["__name__"]] = {
            (int(time) - DURING.start) / 1000: STALE if marked else float(value)
            for time, value, marked in zip(series.timestamps_ms, series.values, stale, strict=True)
        }
    return samples


def test_a_target_that_runs_all_the_time() -> None:
    """Samples every half minute, no marker; an error series from the first scrape after its first error."""
    samples = stored_samples(target(planned={BAD: moments(100)}))
    assert list(samples["up"]) == [30.0 * number for number in range(20)]
    assert set(samples["up"].values()) == {1.0}
    assert next(iter(samples["errors_total"].items())) == (120.0, 1.0)
    assert samples["process_start_time_seconds"][30.0] == DURING.start / 1000
    assert STALE not in {value for series in samples.values() for value in series.values()}


def test_a_failed_scrape_marks_all_but_up() -> None:
    """`up` is 0, everything else is marked once, and counters that ran on are back afterwards."""
    one = target(unreachable=(stretch(100, 200),), planned={BAD: moments(10, 150)})
    samples = stored_samples(one)
    assert [samples["up"][second] for second in (90.0, 120.0, 180.0, 210.0)] == [1, 0, 0, 1]
    errors = samples["errors_total"]
    assert (errors[90.0], errors[120.0], errors[210.0]) == (1.0, STALE, 2.0)
    assert 150.0 not in errors
    assert samples["process_start_time_seconds"][120.0] == STALE


def test_a_target_that_discovery_drops_is_marked_whole() -> None:
    """`up`, too, at the scrape that would have been next."""
    samples = stored_samples(target(life=stretch(0, 250), watched=stretch(0, 250), planned={BAD: moments(10)}))
    for series in samples.values():
        assert list(series.items())[-1] == (270.0, STALE)


def test_a_process_that_ends_before_discovery_notices() -> None:
    """The scrape fails first: `up` 0 and markers, then `up` is marked; nothing is marked twice."""
    samples = stored_samples(target(life=stretch(0, 200), watched=stretch(0, 250), planned={BAD: moments(10)}))
    assert [samples["up"][second] for second in (180.0, 210.0, 240.0, 270.0)] == [1, 0, 0, STALE]
    assert list(samples["errors_total"].items())[-1] == (210.0, STALE)


def test_a_series_that_the_exposition_lacks_is_marked() -> None:
    """Hidden for a while with its count kept: one marker, and the other series go on."""
    hidden = Stream({"__name__": "errors_total"}, (BAD,), hidden=(stretch(100, 200),), counted_before=5)
    samples = stored_samples(target(streams=(hidden,), planned={BAD: moments(150)}))
    errors = samples["errors_total"]
    assert (errors[90.0], errors[120.0], errors[210.0]) == (5.0, STALE, 6.0)
    assert 150.0 not in errors
    assert samples["up"][150.0] == 1.0


def test_a_restart_in_place_marks_series_that_are_not_born_again() -> None:
    """A scrape after the restart finds no error series: marked; the start time and the count are the new process'."""
    one = target(restarts=tuple(moments(100)), planned={BAD: moments(10, 160)})
    samples = stored_samples(one)
    errors = samples["errors_total"]
    assert (errors[90.0], errors[120.0], errors[180.0]) == (1.0, STALE, 1.0)
    assert samples["process_start_time_seconds"][120.0] == (DURING.start + 100_000) / 1000
    assert samples["requests_total"][120.0] == 0.0


def test_a_prometheus_that_stops_marks_nothing() -> None:
    """While it is down there are no samples and no markers; what ended meanwhile is never marked."""
    one = target(restarts=tuple(moments(200)), planned={BAD: moments(10)})
    samples = stored_samples(one, Observer(down=(stretch(100, 300),)))
    assert [second for second in samples["up"] if 90 <= second <= 300] == [90.0, 300.0]
    assert list(samples["errors_total"].items())[-1] == (90.0, 1.0)


def test_a_target_dropped_while_prometheus_is_down_is_not_marked() -> None:
    """Nobody was there to write the marker."""
    one = target(life=stretch(0, 250), watched=stretch(0, 250))
    samples = stored_samples(one, Observer(down=(stretch(255, 400),)))
    assert list(samples["up"].items())[-1] == (240.0, 1.0)


def test_a_process_without_start_time() -> None:
    """Where no such metric is exposed there is none."""
    assert "process_start_time_seconds" not in stored_samples(target(exposes_process_start=False))


def test_an_old_counter_keeps_what_it_had() -> None:
    """What was counted before belongs to the first process only."""
    old = Stream({"__name__": "requests_total"}, (0, 1), counted_before=1e6)
    samples = stored_samples(target(streams=(old,), restarts=tuple(moments(100))))
    assert (samples["requests_total"][90.0], samples["requests_total"][120.0]) == (1e6, 0.0)


def test_a_native_histogram() -> None:
    """Each bucket holds its class; a failed scrape is a marker, and a restart begins at zero."""
    histogram = NativeHistogram({"__name__": "seconds"}, (0, 1), lowest=-2, counted_before=10)
    one = target(
        streams=(),
        histograms=(histogram,),
        unreachable=(stretch(100, 130),),
        restarts=tuple(moments(200)),
        planned={BAD: moments(10, 205)},
    )
    observer = Observer()
    found = count(one, (observer,), DURING, DURING, np.random.default_rng(1))
    (native,) = (s for s in stored(one, found.shown[0], observer, DURING) if isinstance(s, NativeHistograms))
    rows = dict(zip((native.timestamps_ms - DURING.start) // 1000, native.buckets.tolist(), strict=True))
    assert (rows[0], rows[30], rows[210]) == ([10, 10], [10, 11], [0, 1])
    assert (native.timestamps_ms[native.ended] - DURING.start).tolist() == [120_000]
