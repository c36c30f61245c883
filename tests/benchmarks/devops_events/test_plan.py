"""What the benchmark of devops-events sends."""

from collections import Counter

from benchmarks.devops_events.sending import plan


def test_each_delivery_is_sent_and_a_tenth_of_them_twice() -> None:
    """None is forgotten, none comes three times, half of the doubles go out together; the same seed sends the same."""
    together = list(plan(10_000, 0.1, seed=3))
    sent = Counter(number for numbers in together for number in numbers)
    assert set(sent) == set(range(10_000))
    assert set(sent.values()) == {1, 2}
    doubles = sum(times == 2 for times in sent.values())
    assert 850 < doubles < 1150
    at_once = sum(len(numbers) == 2 for numbers in together)
    assert 0.4 < at_once / doubles < 0.6
    assert together == list(plan(10_000, 0.1, seed=3))
