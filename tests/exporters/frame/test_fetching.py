"""Fetches: once at a time, never past the deadline, never old."""

import threading
import time
from threading import Event

from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.fetching import Failed, Fetched, Fetcher
from sereno_exporters.frame.trouble import FetchError, Reason
from support.exporting import part
from support.waiting import wait_for


def test_a_fetch_that_hangs_costs_one_thread_and_is_told() -> None:
    """Scrapes after it don't start another, return at their own deadline, and all is well when it is over."""
    go_on, calls = Event(), []

    def fetch(_: Deadline) -> dict[str, float]:
        calls.append(threading.current_thread())
        go_on.wait(20)
        return {"a": 1.0}

    fetcher = Fetcher(part("p", fetch))
    first = fetcher.begin(Deadline.after(0.05))().outcome
    others = [fetcher.begin(Deadline.after(0.05))().outcome for _ in range(5)]
    assert len(calls) == 1
    assert isinstance(first, Failed)
    assert first.reason is Reason.TIMEOUT
    assert {each.message for each in others if isinstance(each, Failed)} == {
        "the fetch of a scrape before this one still hangs"
    }
    go_on.set()
    wait_for(lambda: not calls[0].is_alive(), what="the end of the hanging fetch")
    assert fetcher.begin(Deadline.after(5))().outcome == Fetched({"a": 1.0})


def test_what_comes_too_late_is_never_served() -> None:
    """A scrape that joined a hanging fetch does not get its old answer."""
    go_on = Event()

    def fetch(_: Deadline) -> dict[str, float]:
        go_on.wait(20)
        return {"a": 1.0}

    fetcher = Fetcher(part("p", fetch))
    fetcher.begin(Deadline.after(0.05))()
    joined = fetcher.begin(Deadline.after(10))
    go_on.set()
    outcome = joined().outcome
    assert isinstance(outcome, Failed)
    assert "too late" in outcome.message


def test_scrapes_at_the_same_time_share_one_fetch() -> None:
    """Two Prometheuses cost the target one question."""
    go_on, calls = Event(), []

    def fetch(_: Deadline) -> dict[str, float]:
        calls.append(1)
        go_on.wait(20)
        return {"a": 1.0}

    fetcher = Fetcher(part("p", fetch))
    waiting = [fetcher.begin(Deadline.after(10)) for _ in range(3)]
    go_on.set()
    assert [wait().outcome for wait in waiting] == [Fetched({"a": 1.0})] * 3
    assert len(calls) == 1


def test_what_is_dear_is_fetched_seldom_and_tells_its_age() -> None:
    """Within `reuse_seconds` the snapshot serves again; after them it never does."""
    now, calls = [100.0], []

    def fetch(_: Deadline) -> dict[str, float]:
        calls.append(1)
        if len(calls) == 2:
            raise FetchError(Reason.GARBAGE, "no")
        return {"a": float(len(calls))}

    fetcher = Fetcher(part("p", fetch, reuse_seconds=60), clock=lambda: now[0])
    assert fetcher.begin(Deadline.after(5))().outcome == Fetched({"a": 1.0}, 0.0)
    now[0] += 59
    assert fetcher.begin(Deadline.after(5))().outcome == Fetched({"a": 1.0}, 59.0)
    now[0] += 1
    assert fetcher.begin(Deadline.after(5))().outcome == Failed(Reason.GARBAGE, "no")
    assert fetcher.begin(Deadline.after(5))().outcome == Fetched({"a": 3.0}, 0.0)


def test_a_second_try_stays_within_the_deadline() -> None:
    """Where too little time is left there is none."""
    calls = []

    def fetch(_: Deadline) -> dict[str, float]:
        calls.append(1)
        raise FetchError(Reason.UNREACHABLE, "down")

    fetcher = Fetcher(part("p", fetch))
    begun = time.monotonic()
    assert fetcher.begin(Deadline.after(0.2))().outcome == Failed(Reason.UNREACHABLE, "down")
    assert time.monotonic() - begun < 0.2
    assert len(calls) == 1
    assert fetcher.begin(Deadline.after(5))().outcome == Failed(Reason.UNREACHABLE, "down (tried twice)")
    assert len(calls) == 3


def test_a_bug_is_a_failure_of_its_part() -> None:
    """An exception that nobody foresaw is told as such, not passed on."""
    nothing: dict[str, float] = {}
    outcome = Fetcher(part("p", lambda _: nothing["missing"])).begin(Deadline.after(5))().outcome
    assert outcome == Failed(Reason.UNEXPECTED, "KeyError: 'missing'")
