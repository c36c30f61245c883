"""Gaps that the collector sees as they come in."""

from sereno_collectors.logs.model import Document
from sereno_collectors.logs.reconciling import SequenceTracker


def _documents(*numbers: int, source: str = "a") -> list[Document]:
    return [
        Document(str(number), "logs-app-x", b"{}", "checkout", source, number, "2026-11-22T12") for number in numbers
    ]


def test_counts_what_was_passed_over() -> None:
    """Numbers that are passed over are missing, per source, across batches."""
    tracker = SequenceTracker()
    tracker.observe(_documents(1, 2, 5) + _documents(7, 8, source="b"))
    tracker.observe(_documents(6) + _documents(10, source="b"))
    assert tracker.missing == 3


def test_late_ones_are_missing_no_longer() -> None:
    """Out of order and repeated arrival leaves nothing missing."""
    tracker = SequenceTracker()
    tracker.observe(_documents(1, 4, 2, 2, 3, 4, 5))
    assert tracker.missing == 0


def test_a_source_begins_where_it_is_first_seen() -> None:
    """A collector that begins in the middle, and documents without numbers, count nothing."""
    tracker = SequenceTracker()
    tracker.observe(_documents(41, 42) + _documents(0, source="") + _documents(43))
    assert tracker.missing == 0


def test_memory_is_bounded() -> None:
    """What does not fit is counted still, and the source that was silent for longest is forgotten first."""
    tracker = SequenceTracker(most_sources=1, most_open=2)
    tracker.observe(_documents(1, 10))
    tracker.observe(_documents(9))
    assert tracker.missing == 7
    tracker.observe(_documents(1, source="b") + _documents(20))
    assert tracker.missing == 7
