"""Samples written by remote write come back as they were."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.simulation import (
    DAY,
    MINUTE,
    NativeHistograms,
    Series,
    Server,
    ServerError,
    WriteError,
    remote_write,
    running_prometheus,
    stale_markers,
    write,
)

START = 1_700_000_400_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One empty Prometheus for all tests of this file; each has metrics of its own."""
    with running_prometheus(tmp_path_factory.mktemp("prometheus")) as running:
        yield running


def test_values_and_labels_come_back(server: Server) -> None:
    """Every value, extremes and NaN among them, every millisecond and every label is read back exactly."""
    values = np.array([0.0, -0.0, 1e-300, 1.7976931348623157e308, float("inf"), -1 / 3, float("nan")])
    times = START + np.array([0, 1, 127, 128, 16_384, 100_000, 200_001])
    labels = {"__name__": "extremes", "quote": 'a"b\\c', "language": "中文", "long": "x" * 300}
    write(server, [Series(labels, times, values)])
    (found,) = server.query("extremes[10m]", START + 300_000)["result"]
    assert found["metric"] == labels
    assert [round(time * 1000) for time, _ in found["values"]] == times.tolist()
    np.testing.assert_array_equal([float(value) for _, value in found["values"]], values)


def test_a_marker_ends_a_series(server: Server) -> None:
    """A staleness marker is stored as one: the instant query after it finds nothing, and a NaN is still a value."""
    times = START + MINUTE * np.arange(2)
    write(server, [Series({"__name__": "ended"}, times, np.concatenate([np.ones(1), stale_markers(1)]))])
    write(server, [Series({"__name__": "undefined"}, times, np.array([1.0, float("nan")]))])
    assert not server.query("ended", START + MINUTE)["result"]
    assert server.query("ended", START + MINUTE - 1)["result"]
    assert server.query("undefined", START + MINUTE)["result"][0]["value"][1] == "NaN"


def test_a_series_may_begin_long_before_others_ended(server: Server) -> None:
    """After a series has reached its 90th day another one may be written from day 0."""
    names = ("first", "second")
    for name in names:
        write(server, [Series({"__name__": name}, START + DAY * np.arange(91), np.arange(91.0))])
    counted = [
        server.query(f"count_over_time({name}[92d])", START + 91 * DAY)["result"] for name in ("first", "second")
    ]
    assert [one["value"][1] for (one,) in counted] == ["91", "91"]


def test_native_histograms_come_back(tmp_path: Path) -> None:
    """Counts, buckets on both sides of a threshold, and markers of native histograms are what was written."""
    times = START + MINUTE * np.arange(3)
    buckets = np.array([[10.0, 5, 1], [20, 6, 2], [0, 0, 0]])
    histograms = NativeHistograms({"__name__": "d"}, times, buckets, -2, np.array([False, False, True]))
    with running_prometheus(tmp_path, flags=["--enable-feature=native-histograms"]) as server:
        assert write(server, [histograms]) == 3

        def answer(expr: str, minute: int) -> list[float]:
            return [float(one["value"][1]) for one in server.query(expr, START + minute * MINUTE)["result"]]

        assert answer("histogram_count(d)", 1) == [28]
        assert answer("histogram_fraction(0, 0.25, d)", 1) == [20 / 28]
        assert answer("histogram_fraction(0.25, 0.5, d) * histogram_count(d)", 0) == [5]
        assert answer("histogram_count(d)", 2) == []


def test_long_series_are_cut_into_requests(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """More samples than one request takes arrive all the same."""
    monkeypatch.setattr(remote_write, "SAMPLES_PER_REQUEST", 100)
    series = [
        Series({"__name__": "cut", "i": str(i)}, START + MINUTE * np.arange(130), np.arange(130.0)) for i in range(3)
    ]
    assert write(server, series) == 390
    counted = server.query("sum(count_over_time(cut[2d]))", START + DAY)["result"]
    assert counted[0]["value"][1] == "390"


def test_refusals_are_told(server: Server) -> None:
    """What Prometheus refuses is an error with its words, not a hole in the data."""
    write(server, [Series({"__name__": "order"}, np.array([START + MINUTE]), np.ones(1))])
    with pytest.raises(WriteError, match="out of order"):
        write(server, [Series({"__name__": "order"}, np.array([START]), np.ones(1))])
    with pytest.raises(ServerError, match="parse error"):
        server.query("sum(", START)


def test_seconds_for_milliseconds_are_a_bug_that_is_told(server: Server) -> None:
    """Timestamps in the wrong unit raise instead of becoming garbage on the wire."""
    with pytest.raises(ValueError, match="milliseconds"):
        write(server, [Series({"__name__": "unit"}, np.array([START // 1000]), np.ones(1))])


def test_a_prometheus_that_does_not_start_says_why(tmp_path: Path) -> None:
    """A bad flag ends in the server's own words; a missing program in a cure."""
    with pytest.raises(ServerError, match="unknown long flag"), running_prometheus(tmp_path, flags=["--no-such-flag"]):
        pass
    with pytest.raises(ServerError, match="make tools"), running_prometheus(tmp_path, program="no-such-prometheus"):
        pass


def test_a_prometheus_that_dies_is_told(tmp_path: Path) -> None:
    """Killed in the middle, it is an error with words, not a traceback of the HTTP client; nothing waits for ever."""
    with running_prometheus(tmp_path) as doomed:
        os.kill(doomed.pid, signal.SIGKILL)
        with pytest.raises(ServerError, match="doesn't answer any more"):
            doomed.query("up", START)
        with pytest.raises(ServerError, match="doesn't answer any more"):
            write(doomed, [Series({"__name__": "x"}, np.array([START]), np.ones(1))])
