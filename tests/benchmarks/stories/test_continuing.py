"""What hours of simulated time make of recorded minutes."""

import numpy as np
import pytest

from benchmarks.simulation import HOUR, MINUTE
from benchmarks.stories.continuing import SCRAPE, Phase, continued
from benchmarks.stories.recording import Raw, Stretch, counts

BEGIN = 1_795_374_000_000
BEGUN = 1000.0
TIMES = np.arange(0.0, 60.0, 5.0)


def _raw(name: str, values: list[float], *, first: int = 0) -> Raw:
    is_counter = name.endswith(("_total", "_commit"))
    return Raw({"__name__": name, "job": "shop"}, TIMES[first:] + BEGUN, np.array(values), is_counter)


def test_counters_go_on_at_their_rate_and_gauges_repeat() -> None:
    """Through health, fault and health again; a counter that the fault brings stays afterwards."""
    healthy = Stretch((_raw("calls_total", [10.0 * step for step in range(12)]), _raw("queue", [1.0] * 12)), BEGUN, 60)
    broken = Stretch(
        (
            _raw("calls_total", [5.0 * step for step in range(12)]),
            _raw("failed_total", [1.0 * step for step in range(12)]),
            _raw("queue", [float(step) for step in range(12)]),
        ),
        BEGUN,
        60,
    )
    phases = [Phase(healthy, HOUR), Phase(broken, HOUR), Phase(healthy, HOUR)]
    series = {one.labels["__name__"]: one for one in continued(phases, BEGIN)}
    calls = series["calls_total"]
    assert calls.timestamps_ms[0] == BEGIN
    assert set(np.diff(calls.timestamps_ms)) == {SCRAPE}
    per_second = np.diff(calls.values) / (SCRAPE / 1000)
    assert per_second[60] == pytest.approx(2.0)
    assert per_second[180] == pytest.approx(1.0)
    assert per_second[300] == pytest.approx(2.0)
    failed = series["failed_total"]
    assert failed.timestamps_ms[0] == BEGIN + HOUR
    assert failed.values[-1] == pytest.approx(720)
    assert set(series["queue"].values[120:240]) == {float(step) for step in range(12)}


def test_a_restart_in_the_recording_loses_no_count_and_moments_keep_their_distance() -> None:
    """What a counter shows after its restart is what came; timestamps are as old as they were; nothing restarts."""
    stretch = Stretch(
        (
            _raw("calls_total", [100.0, 110.0, 5.0, 15.0, 25.0, 35.0, 45.0, 55.0, 65.0, 75.0, 85.0, 95.0]),
            _raw("last_success_timestamp_seconds", list(TIMES + BEGUN - 10)),
            _raw("process_start_time_seconds", [900.0] * 12),
        ),
        BEGUN,
        60,
    )
    series = {one.labels["__name__"]: one for one in continued([Phase(stretch, 10 * MINUTE)], BEGIN)}
    assert np.diff(series["calls_total"].values)[0] == pytest.approx((10 + 95) / 55 * 30)
    assert series["last_success_timestamp_seconds"].values[3] == pytest.approx((BEGIN + 3 * SCRAPE) / 1000 - 10)
    assert len(set(series["process_start_time_seconds"].values)) == 1


def test_rare_errors_that_are_born_within_the_recording_count_in_full() -> None:
    """Kinds that failed once and twice in a minute are three errors a minute; what was there before grows."""
    healthy = Stretch((_raw("calls_total", [float(step) for step in range(12)]),), BEGUN, 60)
    broken = Stretch(
        (
            _raw("calls_total", [float(step) for step in range(12)]),
            _raw("read_failed_total", [1.0] * 5, first=7),
            _raw("write_failed_total", [1.0, 1.0, 2.0], first=9),
            _raw("old_failed_total", [7.0] * 12),
        ),
        BEGUN,
        60,
    )
    series = {one.labels["__name__"]: one for one in continued([Phase(healthy, HOUR), Phase(broken, HOUR)], BEGIN)}
    assert series["read_failed_total"].values[-1] == pytest.approx(60)
    assert series["write_failed_total"].values[-1] == pytest.approx(120)
    assert series["old_failed_total"].values[-1] == 0


def test_a_counter_is_known_by_its_type() -> None:
    """Names lie: exporters call gauges counts and counters nothing."""
    types = {
        "pg_stat_activity_count": "gauge",
        "pg_stat_database_xact_commit": "counter",
        "calls": "counter",  # as OpenMetrics names it
        "errors_total": "counter",
        "asked_total": "unknown",
        "level": "unknown",
        "request_duration_seconds": "histogram",
        "size_bytes": "summary",
        "storage_total": "gauge",
    }
    assert {
        name
        for name in (
            *types, "calls_total", "request_duration_seconds_count", "request_duration_seconds_sum",
            "request_duration_seconds_bucket", "size_bytes_count", "not_told_total", "not_told_count",
        )
        if counts(name, types)
    } == {
        "pg_stat_database_xact_commit", "calls", "calls_total", "errors_total", "asked_total",
        "request_duration_seconds_count", "request_duration_seconds_sum", "request_duration_seconds_bucket",
        "size_bytes_count", "not_told_total",
    }  # fmt: skip
