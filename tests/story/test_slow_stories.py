"""A slow fault in simulated time: recorded from the real system, judged by a real Prometheus, told by Alertmanager.

`python -m benchmarks.stories` tells those of all systems; here is one, because each takes minutes.
"""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sereno_cli.demo.systems import System, read_system
from sereno_cli.demo.world import running_world

from benchmarks.simulation import HOUR, MINUTE
from benchmarks.stories import slow_faults, tell_slow_stories
from benchmarks.stories.continuing import SCRAPE, Phase, continued
from benchmarks.stories.recording import Raw, Stretch
from benchmarks.stories.story import SlowStory
from benchmarks.stories.telling import Notified

REPOSITORY = Path(__file__).parents[2]
BEGIN = 1_795_374_000_000
TIMES = np.arange(0.0, 60.0, 5.0)


@pytest.mark.story
@pytest.mark.skipif(os.environ.get("SERENO_STORIES") != "all", reason="takes minutes of two cores: SERENO_STORIES=all")
@pytest.mark.xdist_group("stories")
@pytest.mark.timeout(600)
def test_a_trickle_of_errors_is_a_ticket_after_hours_and_no_page(tmp_path: Path) -> None:
    """One request in 250 fails: nobody is woken, the ticket comes within a day, and it ends after the cure."""
    system = read_system(REPOSITORY / "systems" / "transactions-api")
    assert isinstance(system, System)
    with running_world(REPOSITORY, tmp_path / "state", print, systems=["transactions-api"]) as world:
        (story,) = tell_slow_stories(world, slow_faults([system]), print)
    assert story.mistakes() == ()
    assert story.hours_to_alert is not None
    assert 6 < story.hours_to_alert < 30
    assert story.hours_to_end is not None
    assert story.hours_to_end < 12


def test_a_page_is_a_mistake_where_a_ticket_is_expected() -> None:
    """Also one of the same SLO."""
    system = read_system(REPOSITORY / "systems" / "transactions-api")
    assert isinstance(system, System)
    ((_, fault),) = slow_faults([system])
    ticket = {"alertname": fault.expects.alert, "severity": "warning", **fault.expects.labels}
    told = Notified((ticket,), all_resolved=True)
    story = SlowStory(system.name, fault, 18.0, 3.0, (), told)
    assert story.mistakes() == ()
    page = ticket | {"severity": "critical"}
    (mistake,) = replace(story, notified=Notified((ticket, page), all_resolved=True)).mistakes()
    assert "another page" in mistake


def _raw(name: str, values: list[float]) -> Raw:
    return Raw({"__name__": name, "job": "shop"}, TIMES + 1000, np.array(values))


def test_counters_go_on_at_their_rate_and_gauges_repeat() -> None:
    """Through health, fault and health again; a counter that the fault brings stays afterwards."""
    healthy = Stretch((_raw("calls_total", [10.0 * step for step in range(12)]), _raw("queue", [1.0] * 12)), 60)
    broken = Stretch(
        (
            _raw("calls_total", [5.0 * step for step in range(12)]),
            _raw("failed_total", [1.0 * step for step in range(12)]),
            _raw("queue", [float(step) for step in range(12)]),
        ),
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
            _raw("last_success_timestamp_seconds", list(TIMES + 990)),
            _raw("process_start_time_seconds", [900.0] * 12),
        ),
        60,
    )
    series = {one.labels["__name__"]: one for one in continued([Phase(stretch, 10 * MINUTE)], BEGIN)}
    assert np.diff(series["calls_total"].values)[0] == pytest.approx((10 + 95) / 55 * 30)
    assert series["last_success_timestamp_seconds"].values[3] == pytest.approx((BEGIN + 3 * SCRAPE) / 1000 - 10)
    assert len(set(series["process_start_time_seconds"].values)) == 1
