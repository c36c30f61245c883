"""What parts of one scrape share."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier, Event

import pytest
from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.trouble import FetchError, Reason
from sereno_exporters.queues.sharing import Shared


@pytest.fixture
def released() -> Iterator[Event]:
    """Lets go what a test holds, at its end at the latest."""
    event = Event()
    yield event
    event.set()


def test_parts_of_one_scrape_fetch_once_and_another_scrape_anew() -> None:
    """At the same time or one after the other; nothing is kept for the next scrape."""
    numbers = count()
    shared = Shared(lambda _: next(numbers))
    first, second, together = Deadline.after(5), Deadline.after(6), Barrier(4)

    def ask(_: int) -> int:
        together.wait(5)
        return shared(first)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == [0] * 4
    assert shared(first) == 0
    assert shared(second) == 1


def test_a_failure_is_not_kept() -> None:
    """Whoever asks next tries by itself: the frame's second try would be none."""
    tries = count()

    def fetch(_: Deadline) -> str:
        if next(tries) == 0:
            raise FetchError(Reason.UNREACHABLE, "away")
        return "there"

    shared, deadline = Shared(fetch), Deadline.after(5)
    with pytest.raises(FetchError, match="away"):
        shared(deadline)
    assert shared(deadline) == "there"


def test_who_waits_gives_up_with_its_time(released: Event) -> None:
    """A fetch that hangs takes the other part's time, and no more."""
    begun = Event()

    def hang(_: Deadline) -> None:
        begun.set()
        released.wait(20)

    shared = Shared(hang)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(shared, Deadline.after(5))
        assert begun.wait(5)
        with pytest.raises(FetchError, match="took all the time"):
            shared(Deadline.after(0.1))
        released.set()
