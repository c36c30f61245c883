"""The account of rows on their way, and what the people ask."""

from random import Random

from etl.extract.deliveries import LATE_AFTER_SECONDS, Deliveries
from etl.users import TableMix
from prometheus_client import CollectorRegistry
from reference_system.load_plan import PlannedRequest


def figures(deliveries: Deliveries) -> dict[str, float]:
    """All samples."""
    registry = CollectorRegistry()
    registry.register(deliveries)
    return {sample.name: sample.value for family in registry.collect() for sample in family.samples}


def test_rows_become_late_once() -> None:
    """A batch counts as late when its time is over, not before, and not again when it is loaded after all."""
    now = 100.0
    deliveries = Deliveries(lambda: now)
    deliveries.extracted("a", 10)
    now += LATE_AFTER_SECONDS
    assert figures(deliveries)["etl_rows_late_total"] == 0
    now += 0.1
    assert figures(deliveries) == {
        "etl_rows_extracted_total": 10,
        "etl_rows_late_total": 10,
        "etl_rows_waiting": 10,
        "etl_oldest_batch_age_seconds": LATE_AFTER_SECONDS + 0.1 + (now - 100.0 - LATE_AFTER_SECONDS - 0.1),
    }
    deliveries.loaded(["a", "unknown"])
    assert figures(deliveries)["etl_rows_late_total"] == 10
    assert figures(deliveries)["etl_rows_waiting"] == 0
    assert figures(deliveries)["etl_oldest_batch_age_seconds"] == 0


def test_rows_that_are_loaded_late_are_late_though_nobody_looked_between() -> None:
    """What counts is the time, not when the figures were taken."""
    now = 0.0
    deliveries = Deliveries(lambda: now)
    deliveries.extracted("a", 4)
    deliveries.extracted("b", 5, age_seconds=15)
    now += 6
    deliveries.loaded(["b"])
    now += 1
    deliveries.loaded(["a"])
    assert figures(deliveries)["etl_rows_late_total"] == 5
    assert deliveries.waiting() == ()


def test_the_mix_of_a_seed_is_the_same_whatever_was_learnt() -> None:
    """Only which order is asked for depends on what the service answered; nothing is asked for that was never seen."""
    knowing, ignorant = TableMix(Random(3)), TableMix(Random(3))
    knowing.learn(PlannedRequest("GET", "/orders?limit=20"), [{"order_id": 1}, {"order_id": 2}])
    pairs = [(knowing.next(), ignorant.next()) for _ in range(5000)]
    assert all(one.method == two.method for one, two in pairs)
    assert {one.path for one, _ in pairs if one.path.startswith("/orders/")} == {"/orders/1", "/orders/2"}
    assert not [two for _, two in pairs if two.path.startswith("/orders/")]
    assert 30 < sum(one.method == "POST" for one, _ in pairs) < 75
