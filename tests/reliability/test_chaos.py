"""The chaos run, short: each process of the demo is killed at least once, and nothing is lost."""

from pathlib import Path

import pytest
from support.timing import takes_long

from benchmarks.chaos.plan import PARTS, Kind
from benchmarks.chaos.running import Order, run_chaos

REPOSITORY = Path(__file__).parents[2]

# A minute and a half of strikes, and minutes until Alertmanager and the ledger have told everything.
pytestmark = [pytest.mark.story, pytest.mark.xdist_group("light-story"), pytest.mark.timeout(900), takes_long]


def test_nothing_is_lost_when_each_process_is_killed(tmp_path: Path) -> None:
    """No log line, webhook, alert or end of one; the budget misses no more than the gaps explain."""
    report = run_chaos(REPOSITORY, tmp_path / "state", Order(seconds=120.0, seed=2))
    assert all(report.record.of(part, Kind.KILL) for part in PARTS)
    assert report.lines.emitted > 1_000
    assert len(report.webhooks.lost) + len(report.webhooks.twice) == 0
    assert report.good, report
