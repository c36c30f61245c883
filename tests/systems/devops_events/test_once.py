"""Each event is stored once, by whatever node and however often it comes; none is lost when a server goes away."""

import json
import os
import signal
import time
from typing import Any

import httpx
import pika  # type: ignore[import-untyped]
from devops_events.envelope import DEAD_LETTERS, QUEUE
from devops_events.processing.store import DEADLINE_SECONDS
from redis import Redis
from support import devops_events_system
from support.devops_events_sending import deliver, deliver_together, deliveries
from support.devops_events_system import Places, Program, ingestion, processing
from support.ports import free_port
from support.waiting import wait_for

pytestmark = devops_events_system.marked


def stored(places: Places) -> int:
    """Deliveries in the store."""
    return len(places.rows("SELECT key FROM deliveries"))


def there_twice(places: Places) -> list[tuple[Any, ...]]:
    """What is in more than one row, by what it says: keys and ids are what is to guard against that."""
    same = "SELECT count(*) FROM {} GROUP BY {} HAVING count(*) > 1"
    return places.rows(same.format("deliveries", "original")) + places.rows(
        same.format("events", "document -> 'devops'")
    )


def removed_by_the_store(*workers: Program) -> float:
    """Doubles that reached the queue."""
    return sum(worker.metric("devops_events_duplicates_total", stage="store") for worker in workers)


def test_webhooks_of_all_platforms_are_tagged_queued_normalised_and_kept(places: Places) -> None:
    """202 after the confirm; then one row with the original, and its events in one schema."""
    sent = deliveries(40)
    with ingestion(places, "node-7") as node, processing(places) as worker:
        answers = [deliver(places, node.url, one) for one in sent]
        assert {answer.status_code for answer in answers} == {202}
        wait_for(lambda: stored(places) == len(sent), what="all are stored")
        rows = places.rows(
            "SELECT key, platform, disposition, node, headers, original, received_at < stored_at FROM deliveries"
        )
        assert {key for key, *_ in rows} == {answer.json()["key"] for answer in answers}
        by_key = {row[0]: row for row in rows}
        for one, answer in zip(sent, answers, strict=True):
            _, platform, disposition, name, headers, original, in_order = by_key[answer.json()["key"]]
            assert (platform, disposition, name, in_order) == (one.platform, "translated", "node-7", True)
            assert original == json.loads(one.body)
            assert not {"authorization", "x-hub-signature-256", "webhook-signature"} & set(headers)
        (events,) = places.rows("SELECT count(*) FROM events")
        assert events[0] == worker.metric("devops_events_normalised_total") >= len(sent)
        assert there_twice(places) == []
        assert node.metric("devops_events_accepted_total") == worker.metric("devops_events_stored_total") == len(sent)
        assert worker.metric("devops_events_end_to_end_seconds_count") == len(sent)
        assert worker.metric("messaging_processed_messages_total", outcome="ok") == len(sent)
        node.stop()
        worker.stop()


def test_a_double_reaches_the_queue_once_whichever_nodes_it_comes_by(places: Places) -> None:
    """Sent to both nodes at the same moment and again afterwards, a delivery is one message: no worker runs here."""
    sent = deliveries(20)
    with ingestion(places, "node-1") as first, ingestion(places, "node-2") as second:
        for one in sent:
            together = deliver_together(places, [first.url, second.url, first.url], one)
            assert sorted(answer.json()["outcome"] for answer in together) == ["accepted", "duplicate", "duplicate"]
        again = [deliver(places, url, one) for one in sent for url in (first.url, second.url)]
        assert {(answer.status_code, answer.json()["outcome"]) for answer in again} == {(200, "duplicate")}
        assert places.waiting(QUEUE) == len(sent)
        counted = sum(node.metric("devops_events_duplicates_total", stage="ingestion") for node in (first, second))
        assert counted == 4 * len(sent)


def test_without_redis_ingestion_goes_on_and_the_store_removes_doubles(places: Places) -> None:
    """The filter is cheap and may be gone: nothing is refused, nothing is stored twice, and the log says so."""
    sent = deliveries(15)
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    with (
        ingestion(places, "node-1", DEVOPS_EVENTS_CLAIMS=nowhere) as first,
        ingestion(places, "node-2", DEVOPS_EVENTS_CLAIMS=nowhere) as second,
        processing(places) as worker,
        processing(places) as other,
    ):
        for one in sent:
            assert [each.status_code for each in deliver_together(places, [first.url, second.url], one)] == [202, 202]
        workers = (worker, other)
        wait_for(lambda: removed_by_the_store(*workers) == len(sent), what="the store has removed the doubles")
        assert stored(places) == len(sent)
        assert there_twice(places) == []
        assert sum(each.metric("devops_events_stored_total") for each in workers) == len(sent)
        assert first.metric("devops_events_claims_total", outcome="no_answer") == len(sent)
        assert "Redis can't be asked for claims" in first.log.read_text()


def test_a_claim_of_a_node_that_died_delays_a_delivery_and_never_loses_it(places: Places) -> None:
    """Claimed and not published: the next attempt waits, gets through all the same, and the claim is done then."""
    (one,) = deliveries(1)
    with ingestion(places) as node, Redis.from_url(places.redis, decode_responses=True) as redis:
        key = f"devops-events:claim:{one.platform}/{one.delivery_id}"
        assert one.platform != "jenkins"
        redis.set(key, "pending:dead:1", px=10_000)
        answer = deliver(places, node.url, one)
        assert (answer.status_code, answer.json()["outcome"]) == (202, "accepted")
        assert node.metric("devops_events_claims_total", outcome="held") == 1
        assert redis.get(key) == "done"
        redis.set(key, "pending:dead:1", px=500)
        assert deliver(places, node.url, one).json()["outcome"] == "accepted"
        assert node.metric("devops_events_claims_total", outcome="claimed") == 1


def test_a_lost_confirm_is_a_503_and_what_is_sent_again_is_stored_once(places: Places) -> None:
    """The sender is told to try again; the event was on the queue already, and the store knows its key."""
    sent = deliveries(6)
    with ingestion(places) as node, processing(places) as worker:
        node.fault("confirms-lost", ratio=0.5)
        first = [deliver(places, node.url, one).status_code for one in sent]
        assert sorted(first) == [202, 202, 202, 503, 503, 503]
        node.no_fault("confirms-lost")
        again = [deliver(places, node.url, one).status_code for one in sent]
        assert sorted(again) == [200, 200, 200, 202, 202, 202]
        wait_for(lambda: worker.metric("devops_events_duplicates_total", stage="store") == 3, what="doubles are seen")
        assert stored(places) == len(sent)
        assert node.metric("devops_events_refused_total", reason="unavailable") == 3


def test_a_database_that_hangs_is_told_and_costs_neither_the_connection_to_the_broker_nor_an_event(
    places: Places,
) -> None:
    """The worker hangs up within ten seconds, says so, and goes on with the database: what waited is stored once."""
    sent = deliveries(4)
    with ingestion(places) as node, processing(places) as worker:
        assert deliver(places, node.url, sent[0]).status_code == 202
        wait_for(lambda: stored(places) == 1, what="the worker has a connection")
        ((backend,),) = places.rows(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name = 'devops-events-processing'"
        )
        os.kill(backend, signal.SIGSTOP)
        try:
            began = time.monotonic()
            assert [deliver(places, node.url, one).status_code for one in sent[1:]] == [202] * 3
            wait_for(lambda: "Events could not be stored and wait" in worker.log.read_text(), what="it says so")
            assert time.monotonic() - began < DEADLINE_SECONDS + 2
        finally:
            os.kill(backend, signal.SIGCONT)
        wait_for(lambda: stored(places) == len(sent), what="all are stored")
        assert "The queue can't be read" not in worker.log.read_text()
        assert worker.metric("devops_events_stored_total") == len(sent)


def test_what_is_no_event_goes_to_the_dead_letters_and_holds_up_nobody(places: Places) -> None:
    """Messages of strangers and documents that no database takes are kept apart; what comes behind them is stored."""
    (one,) = deliveries(1)
    with ingestion(places) as node, processing(places) as worker:
        body = b'{"ref": "nul \\u0000", "repository": {}}'
        strange = type(one)("github", "d-1", {"X-GitHub-Event": "push", "X-GitHub-Delivery": "d-1"}, body)
        assert deliver(places, node.url, strange).status_code == 202
        with places.channel() as channel:
            channel.basic_publish("", QUEUE, b"hello", pika.BasicProperties())
        assert deliver(places, node.url, one).status_code == 202
        wait_for(lambda: stored(places) == 1, what="the good one is stored")
        wait_for(lambda: worker.metric("devops_events_dead_letters_total") == 2, what="the others are given up")
        wait_for(lambda: places.waiting(DEAD_LETTERS) == 2, what="and kept")


def test_an_unknown_shape_is_kept_and_told(places: Places) -> None:
    """The original is stored with the reason, the log says it once a delivery; other types are stored, too."""
    headers = {"X-GitHub-Event": "push", "X-GitHub-Delivery": "d-1"}
    strange = devops_event("github", "d-1", headers, {"ref": "refs/heads/main", "repository": {"slug": "shop"}})
    other = devops_event("github", "d-2", {"X-GitHub-Event": "star", "X-GitHub-Delivery": "d-2"}, {"action": "created"})
    with ingestion(places) as node, processing(places) as worker:
        assert [deliver(places, node.url, one).status_code for one in (strange, strange, other)] == [202, 200, 202]
        wait_for(lambda: stored(places) == 2, what="both are stored")
        found = places.rows("SELECT key, disposition, reason <> '', original ->> 'ref' FROM deliveries ORDER BY key")
        assert found == [
            ("github/d-1", "unknown_schema", True, "refs/heads/main"),
            ("github/d-2", "ignored", True, None),
        ]
        assert worker.metric("devops_events_stored_total", disposition="unknown_schema", platform="github") == 1
        (line,) = [json.loads(each) for each in worker.log.read_text().splitlines() if "shape" in each]
        assert line["log.level"] == "error"
        assert line["event.id"] == "github/d-1"


def devops_event(platform: str, delivery_id: str, headers: dict[str, str], document: Any) -> Any:
    """A delivery with this document."""
    return type(deliveries(1)[0])(platform, delivery_id, headers, json.dumps(document).encode())


def test_who_may_not_is_refused_with_the_reason_and_puts_nothing_on_the_queue(places: Places) -> None:
    """Wrong secrets, no JSON, unknown platforms: 4xx, counted by platform and reason, and a warning each."""
    (one,) = deliveries(1)
    with ingestion(places) as node:
        forged = httpx.post(
            f"{node.url}/webhooks/github",
            content=b"{}",
            headers={"X-Hub-Signature-256": "sha256=00", "X-GitHub-Event": "push", "Content-Type": "application/json"},
        )
        nobody = httpx.post(f"{node.url}/webhooks/github", json={})
        unknown = httpx.post(f"{node.url}/webhooks/sourceforge", json={})
        broken = devops_event("github", "d", {"X-GitHub-Event": "push"}, {})
        cut = deliver(places, node.url, type(one)("github", "d", broken.headers, b"{"))
        nameless = deliver(places, node.url, type(one)("github", "d", {}, b"{}"))
        codes = [answer.status_code for answer in (forged, nobody, unknown, cut, nameless)]
        assert codes == [401, 401, 404, 400, 400]
        assert node.metric("devops_events_refused_total", platform="github", reason="unauthenticated") == 2
        assert node.metric("devops_events_refused_total", platform="github", reason="invalid") == 2
        assert node.metric("devops_events_refused_total", platform="_unknown") == 1
        lines = [json.loads(each) for each in node.log.read_text().splitlines()]
        assert sum(line["log.level"] == "warning" for line in lines) == 5
        assert node.metric("devops_events_accepted_total") == 0


def test_figures_are_there_from_the_start(places: Places) -> None:
    """Counters begin at zero for each platform, and nothing of them is wrong for Prometheus."""
    with ingestion(places) as node, processing(places) as worker:
        for platform in ("github", "gitlab", "azure_devops", "jenkins", "bitbucket", "cloud_ci"):
            assert node.metric("devops_events_accepted_total", platform=platform) == 0
            assert node.metric("devops_events_duplicates_total", platform=platform, stage="ingestion") == 0
            assert worker.metric("devops_events_duplicates_total", platform=platform, stage="store") == 0
            assert worker.metric("devops_events_stored_total", platform=platform, disposition="unknown_schema") == 0
        for fault in ("errors", "latency", "confirms-lost"):
            assert node.metric("devops_events_fault_active", fault=fault) == 0
