"""The account of messages, with a clock in hand."""

from random import Random

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from transactions_api.deliveries import Deliveries


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Now, in seconds."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The time."""
    return Clock()


@pytest.fixture
def deliveries(clock: Clock) -> Deliveries:
    """An empty account."""
    return Deliveries(clock)


def test_a_message_that_is_given_up_is_late_at_once_and_once(deliveries: Deliveries, clock: Clock) -> None:
    """What will never be stored needs no ten seconds; nobody waits for it any more."""
    for message_id in ("a", "b"):
        deliveries.published(message_id)
    deliveries.given_up("a")
    assert deliveries.figures()[:4] == (2, 0, 1, 1)
    clock.now += 11
    assert deliveries.figures().late == 2
    for _ in range(2):
        deliveries.given_up("b")
    clock.now += 11
    assert deliveries.figures() == (2, 0, 2, 0, 0.0)


def test_a_message_that_waits_too_long_is_late_once(deliveries: Deliveries, clock: Clock) -> None:
    """Late from ten seconds on while it waits, and not again when it is stored at last."""
    deliveries.published("a")
    clock.now += 10
    assert deliveries.figures().late == 0
    clock.now += 0.1
    assert deliveries.figures().late == 1
    deliveries.stored(["a"])
    assert deliveries.figures() == (1, 1, 1, 0, 0.0)


def test_a_message_stored_late_is_late_though_nobody_looked(deliveries: Deliveries, clock: Clock) -> None:
    """Whether a scrape came between doesn't matter."""
    deliveries.published("a")
    clock.now += 10.1
    deliveries.stored(["a"])
    assert deliveries.figures().late == 1


def test_a_message_stored_in_time_is_never_late(deliveries: Deliveries, clock: Clock) -> None:
    """Ten seconds exactly are in time, and stay so."""
    deliveries.published("a")
    clock.now += 10
    deliveries.stored(["a"])
    clock.now += 100
    assert deliveries.figures().late == 0


def test_storing_twice_counts_once(deliveries: Deliveries) -> None:
    """A topic that delivers again doesn't make more stored than published."""
    deliveries.published("a")
    deliveries.stored(["a"])
    deliveries.stored(["a", "unknown"])
    assert deliveries.figures()[:2] == (1, 1)


def test_the_age_is_that_of_the_oldest(deliveries: Deliveries, clock: Clock) -> None:
    """The oldest that still waits counts, also when a younger one was stored before it."""
    for message in ("a", "b", "c"):
        deliveries.published(message)
        clock.now += 1
    deliveries.stored(["b"])
    assert deliveries.figures().oldest_age_seconds == 3
    deliveries.stored(["a"])
    assert deliveries.figures().oldest_age_seconds == 1


@pytest.mark.parametrize("seed", range(20))
def test_the_figures_agree_at_any_moment(seed: int) -> None:
    """Whatever happens in whatever order: late ≤ published, published = stored + waiting, and counters only grow."""
    random, clock = Random(seed), Clock()
    deliveries = Deliveries(clock)
    waiting: list[str] = []
    before = (0, 0, 0)
    for number in range(500):
        clock.now += random.expovariate(1.0)
        if random.random() < 0.6:
            deliveries.published(str(number))
            waiting.append(str(number))
        elif waiting:
            deliveries.stored([waiting.pop(random.randrange(len(waiting)))])
        published, stored, late, length, _ = deliveries.figures()
        assert late <= published == stored + length
        assert length == len(waiting)
        assert (published, stored, late) >= before
        before = (published, stored, late)
    assert before[2] > 0


def test_the_metrics_are_exported_from_zero(deliveries: Deliveries) -> None:
    """An account without messages has all its counters."""
    registry = CollectorRegistry()
    registry.register(deliveries)
    samples = [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]
    assert samples == [
        "transactions_published_total 0.0",
        "transactions_stored_total 0.0",
        "transactions_late_total 0.0",
        "transactions_queue_length 0.0",
        "transactions_oldest_message_age_seconds 0.0",
    ]
