"""Answers that a crowd shares: nobody waits for a new one who can have the last one."""

import threading

from sereno_portal.gateway.cache import SharedAnswers

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
