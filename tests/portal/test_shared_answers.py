"""Answers that a crowd shares: nobody waits for a new one who can have the last one."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sereno_portal.gateway import cache
from sereno_portal.gateway.cache import SharedAnswers, StillAsked

FRESH, STALE = 10.0, 900.0


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_while_one_asks_anew_all_others_get_the_last_answer() -> None:
    """Not longer than it may be old, twice over: a crowd that comes after a night waits for what is true now."""
    clock = _Clock()
    shared = SharedAnswers(clock)
    begun, may_end = threading.Event(), threading.Event()

    def slowly() -> str:
        begun.set()
        may_end.wait(10)
        return "new"

    def get(answer: str = "never asked") -> str:
        kept = shared.get("q", lambda: answer, fresh_seconds=FRESH, stale_seconds=STALE, failures=OSError)
        return str(kept.value)

    assert get("old") == "old"
    clock.now = 15.0
    found: list[str] = []
    asking = threading.Thread(
        target=lambda: found.append(
            shared.get("q", slowly, fresh_seconds=FRESH, stale_seconds=STALE, failures=OSError).value
        )
    )
    asking.start()
    begun.wait(10)
    assert get() == "old"
    clock.now = 21.0
    waiting = threading.Thread(target=lambda: found.append(get()))
    waiting.start()
    may_end.set()
    asking.join(10)
    waiting.join(10)
    assert found == ["new", "new"]
    assert get() == "new"


def _look(shared: SharedAnswers, ask: Callable[[], object], key: str = "q", version: object = None) -> cache.Kept:
    return shared.get(key, ask, fresh_seconds=FRESH, stale_seconds=STALE, failures=OSError, version=version)


def _refuse() -> str:
    raise OSError("refused")


@contextmanager
def _hanging(shared: SharedAnswers) -> Iterator[None]:
    """Somebody asks, and nobody answers until the end."""
    begun, may_end = threading.Event(), threading.Event()

    def hang() -> str:
        begun.set()
        may_end.wait(20)
        return "at last"

    asking = threading.Thread(target=_look, args=(shared, hang))
    asking.start()
    assert begun.wait(5)
    yield
    may_end.set()
    asking.join(5)


def test_nobody_waits_long_for_a_server_that_hangs() -> None:
    """An old answer comes after a second, with the reason; without one there is an end to waiting, too."""
    clock = _Clock()
    shared = SharedAnswers(clock, patience_seconds=0.1)
    _look(shared, lambda: "old")
    clock.now = 600.0
    with _hanging(shared):
        kept = _look(shared, _refuse)
        assert (kept.value, kept.age_seconds) == ("old", 600.0)
        assert "try again in a moment" in str(kept.failure)
    clock.now = 3_000.0
    with _hanging(shared), pytest.raises(StillAsked):
        _look(shared, _refuse)


def test_after_a_failure_nobody_waits_at_all() -> None:
    """While one tries again, the others get the old answer with what was wrong."""
    clock = _Clock()
    shared = SharedAnswers(clock)
    _look(shared, lambda: "old")
    clock.now = 600.0
    assert str(_look(shared, _refuse).failure) == "refused"
    clock.now = 610.0
    with _hanging(shared):
        begun = time.monotonic()
        assert str(_look(shared, _refuse).failure) == "refused"
        assert time.monotonic() - begun < 0.5


def test_a_failure_that_took_long_answers_as_long() -> None:
    """Of a server that hangs, people are kept waiting half of the time at most."""
    clock, asked = _Clock(), []
    shared = SharedAnswers(clock)

    def time_out() -> str:
        asked.append(clock.now)
        clock.now += 10
        raise OSError("no answer in 10 s")

    for now in (0.0, 15.0, 21.0):
        clock.now = now
        with pytest.raises(OSError, match="no answer"):
            _look(shared, time_out)
    assert asked == [0.0, 21.0]


def test_what_is_too_old_for_anything_goes() -> None:
    """A day of questions about other moments leaves nothing behind."""
    clock = _Clock()
    shared = SharedAnswers(clock, weigh=len)
    for hour in range(24):
        clock.now = 3_600.0 * hour
        _look(shared, lambda: "ten points", key=str(hour))
    assert shared.weight == 10


def test_answers_have_room_for_so_many_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """The least recently used go; one that alone is too large stays for who asks for it."""
    monkeypatch.setattr(cache, "MOST_WEIGHT", 100)
    shared = SharedAnswers(_Clock(), weigh=len)
    for key in range(30):
        _look(shared, lambda: "ten points", key=str(key))
        _look(shared, lambda: "ten points", key="often")
    assert shared.weight == 100
    assert _look(shared, _refuse, key="often").failure is None
    _look(shared, lambda: "x" * 101, key="large")
    assert shared.weight == 101


def test_another_version_is_asked_for_and_stands_in() -> None:
    """It isn't fresh, and better than nothing."""
    shared = SharedAnswers(_Clock())
    assert _look(shared, lambda: "one", version=1).value == "one"
    assert _look(shared, lambda: "two", version=2).value == "two"
    assert _look(shared, _refuse, version=2).failure is None
    kept = _look(shared, _refuse, version=3)
    assert (kept.value, str(kept.failure)) == ("two", "refused")
