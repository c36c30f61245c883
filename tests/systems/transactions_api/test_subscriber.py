"""The subscriber on a queue in memory and a store in hand: what can't be stored holds up nobody."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry
from sereno_telemetry import Consumer
from support.waiting import wait_for
from transactions_api.model import Message, Transaction
from transactions_api.store import StoreUnavailable, Unstorable
from transactions_api.subscriber import Subscriber
from transactions_api.topic import InProcessTopic


class Store:
    """Takes batches without bad transactions, while it is there."""

    def __init__(self, bad: set[str], away_at: int = 0) -> None:
        self.kept: list[str] = []
        self.calls = 0
        self._bad, self._away_at = bad, away_at

    def add(self, transactions: Sequence[Transaction]) -> None:
        """All or none."""
        self.calls += 1
        if self.calls == self._away_at:
            raise StoreUnavailable("away")
        ids = [each.id for each in transactions]
        if self._bad.intersection(ids):
            raise Unstorable("NUL")
        self.kept += ids


@pytest.mark.parametrize("away_at", range(9))
@pytest.mark.parametrize("bad", [set(), {"id-0"}, {"id-3", "id-4"}, {"id-7"}, {f"id-{n}" for n in range(8)}])
def test_a_batch_is_stored_but_for_what_can_not_be(bad: set[str], away_at: int) -> None:
    """Each good one once and in order, each bad one put aside once; a database that is away meanwhile costs nothing."""
    topic, store = InProcessTopic(100, on_publish=lambda _: None), Store(bad, away_at)
    ids = [f"id-{number}" for number in range(8)]
    for each in ids:
        topic.publish(Message(Transaction(each, "A-1", 1, "EUR", "", datetime(2026, 11, 20, tzinfo=UTC))))
    stored: list[str] = []
    aside: list[str] = []
    subscriber = Subscriber(
        topic,
        store,
        consumer=Consumer("transactions", system="in_memory", registry=CollectorRegistry()),
        stuck=lambda: False,
        stored=stored.extend,
        put_aside=aside.append,
    )
    subscriber.start()
    wait_for(lambda: len(stored) + len(aside) == len(ids), what="all to be done with")
    subscriber.stop(5)
    assert store.kept == stored == [each for each in ids if each not in bad]
    assert aside == [each for each in ids if each in bad]
    assert topic.receive(10, 0) == ()
