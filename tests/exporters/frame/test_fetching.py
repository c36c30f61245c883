"""Fetches: once at a time, never past the deadline, never old."""

import threading
import time
from itertools import count
from threading import Event

from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.fetching import Failed, Fetched, Fetcher
from sereno_exporters.frame.trouble import FetchError, Reason
from support.exporting import part
from support.timing import timed
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
    """A scrape that joined a hanging fetch does not get its old answer, but asks again where it has the time."""
    go_on, answers = Event(), count(1)

    def fetch(_: Deadline) -> dict[str, float]:
        number = next(answers)
        go_on.wait(20)
        return {"answer": number}

    fetcher = Fetcher(part("p", fetch))
    fetcher.begin(Deadline.after(0.05))()
    hurried, patient = fetcher.begin(Deadline.after(0.3)), fetcher.begin(Deadline.after(10))
    go_on.set()
    late = hurried().outcome
    assert isinstance(late, Failed)
    assert "too late" in late.message
    assert patient().outcome == Fetched({"answer": 2})


def test_who_is_granted_little_time_costs_others_nothing() -> None:
    """A scrape with more time than the one whose fetch it joined is answered within its own."""

    def fetch(deadline: Deadline) -> dict[str, float]:
        time.sleep(min(0.4, deadline.remaining_seconds))
        deadline.seconds_left()
        return {"a": 1.0}

    fetcher = Fetcher(part("p", fetch))
    impatient, patient = fetcher.begin(Deadline.after(0.05)), fetcher.begin(Deadline.after(10))
    assert isinstance(impatient().outcome, Failed)
    assert patient().outcome == Fetched({"a": 1.0})


def test_what_ends_by_its_own_limit_is_not_asked_again() -> None:
    """A query that its database broke off is not run a second time for a scrape that joined it."""
    calls = []

    def fetch(_: Deadline) -> dict[str, float]:
        calls.append(1)
        time.sleep(0.1)
        raise FetchError(Reason.TIMEOUT, "the database's own limit")

    fetcher = Fetcher(part("p", fetch))
    for wait in (fetcher.begin(Deadline.after(2)), fetcher.begin(Deadline.after(10))):
        assert isinstance(wait().outcome, Failed)
    assert len(calls) == 1


def test_a_machine_without_threads_left_is_a_failure_that_passes() -> None:
    """The part is down while no thread can be had, and is fetched again afterwards."""
    fetcher = Fetcher(part("p", lambda _: {"a": 1.0}))
    usual_bytes = threading.stack_size(2**46)  # more memory than there are addresses
    try:
        without = fetcher.begin(Deadline.after(5))().outcome
    finally:
        threading.stack_size(usual_bytes)
    assert isinstance(without, Failed)
    assert without.reason is Reason.UNEXPECTED
    assert fetcher.begin(Deadline.after(5))().outcome == Fetched({"a": 1.0})


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


@timed
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


def test_a_panic_of_a_library_does_not_keep_a_part_down() -> None:
    """What is no `Exception`, as a panic of Rust, is a failure of that scrape, and the next one fetches."""

    class Panic(BaseException):
        pass

    brings: list[BaseException | None] = [Panic("no such byte"), None]

    def fetch(_: Deadline) -> dict[str, float]:
        if (error := brings.pop(0)) is not None:
            raise error
        return {"a": 1.0}

    fetcher = Fetcher(part("p", fetch))
    assert fetcher.begin(Deadline.after(1))().outcome == Failed(Reason.UNEXPECTED, "Panic: no such byte")
    assert fetcher.begin(Deadline.after(1))().outcome == Fetched({"a": 1.0})
