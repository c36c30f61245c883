"""The exporter's memory, of which parts that are fetched at the same time have one."""

from pathlib import Path
from threading import Event, Thread

import pytest
from sereno_exporters.aws.catalogue import SNS
from sereno_exporters.aws.snapshot import Series
from sereno_exporters.aws.state import State
from sereno_exporters.aws.tally import Patience, Tally, begun
from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.trouble import FetchError, Reason


def test_a_part_that_waits_for_another_too_long_is_late(tmp_path: Path) -> None:
    """It is told as a timeout, which passes, and not as a file that somebody has to mend."""
    state, counting, go_on = State(tmp_path / "state.sqlite", "shop"), Event(), Event()

    def slow(_series: Series, _tally: Tally | None) -> Tally:
        counting.set()
        go_on.wait(20)
        return begun(1_790_000_000.0, Patience(300.0, 900.0))

    one = Series(SNS.metrics[0], "orders")
    other = Thread(target=state.tallies, args=([one], slow, Deadline.after(20)))
    other.start()
    try:
        assert counting.wait(10)
        with pytest.raises(FetchError, match="kept busy by other parts") as refused:
            state.note("GetMetricData", "answered", Deadline.after(0.2))
        assert refused.value.reason is Reason.TIMEOUT
    finally:
        go_on.set()
        other.join(10)
    state.note("GetMetricData", "answered", Deadline.after(10))
