"""What an hour of simulated time makes of a recorded minute."""

import numpy as np
import pytest

from benchmarks.simulation import SECOND
from benchmarks.stories.continuing import Phase, continued
from benchmarks.stories.recording import Raw, Stretch


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("http_requests_total", 3600.0),
        ("http_server_request_duration_seconds_count", 3600.0),
        ("pg_stat_activity_count", 50.0),
        ("queue_messages", 50.0),
    ],
)
def test_counters_go_on_and_gauges_stay(name: str, last: float) -> None:
    """One a second goes on as that; a gauge that is called a count never leaves what it was."""
    raw = Raw({"__name__": name}, np.array([0.0, 50.0]), np.array([0.0, 50.0]))
    (series,) = continued([Phase(Stretch((raw,), 50.0), 3600 * SECOND)], 0)
    assert max(series.values) == pytest.approx(last)
