"""Two replicas' data made one."""

from pathlib import Path

import numpy as np
from support.accuracy import DURING, START, moments, stretch

from benchmarks.accuracy.replicas import merge_samples, read
from benchmarks.simulation import Series, running_prometheus, write


def series(name: str, *seconds: float) -> Series:
    """Samples whose values are their seconds."""
    return Series({"__name__": name}, moments(*seconds), np.array(seconds))


def test_the_second_replica_goes_on_where_the_first_falls_silent() -> None:
    """From the failover of 30 s on the second's samples are taken, and still when the first is back, until it fails."""
    first = [series("both", 0, 30, 60, 300, 330, 360, 390, 420), series("only_first", 0, 390)]
    second = [series("both", *range(10, 340, 30)), series("only_second", *range(10, 340, 30))]
    down = ([stretch(70, 290)], [stretch(335, 600)])
    merged = {one.labels["__name__"]: one.values.tolist() for one in merge_samples((first, second), down)}
    assert merged == {
        "both": [0, 30, 60, 100, 130, 160, 190, 220, 250, 280, 310, 390, 420],
        "only_first": [0, 390],
        "only_second": [100, 130, 160, 190, 220, 250, 280, 310],
    }


def test_a_short_silence_changes_nothing() -> None:
    """What ends within the failover elects nobody."""
    (merged,) = merge_samples(([series("x", 0, 30, 60, 90)], [series("x", 10, 40, 70, 100)]), ([stretch(35, 55)], []))
    assert merged.values.tolist() == [0, 30, 60, 90]


def test_everything_recorded_is_read_back_once(tmp_path: Path) -> None:
    """Every sample of a metric is read, over the seams of the queries."""
    times = START + 60_000 * np.arange(3000)
    with running_prometheus(tmp_path) as server:
        write(server, [Series({"__name__": "x", "label": label}, times, np.arange(3000.0)) for label in "ab"])
        found = read(server, "x", DURING.__class__(START, START + 60_000 * 3000))
    assert [one.labels["label"] for one in found] == ["a", "b"]
    for one in found:
        np.testing.assert_array_equal(one.timestamps_ms, times)
        np.testing.assert_array_equal(one.values, np.arange(3000.0))
