"""What delivery tells of a trouble, with a real queue before the real server."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from threading import Barrier, Event
from time import monotonic, sleep

import httpx
import pytest
from prometheus_client import CollectorRegistry
from sereno_backends.logs import ElasticsearchLogStore
from sereno_collectors.logs import CollectorMetrics
from sereno_collectors.logs.delivery import delivery
from sereno_collectors.logs.delivery.dead_letters import DeadLetters
from sereno_collectors.logs.delivery.delivery import Delivery, DeliveryParts
from sereno_collectors.logs.delivery.sinks import ElasticsearchSink
from sereno_collectors.logs.model import Document
from sereno_collectors.logs.queue import DurableQueue
from support.collecting import ecs_line
from support.elasticsearch import ElasticsearchServer, fresh_namespace, marked
from support.ports import free_port
from support.proxy import Asked, Refusal, proxy_before
from support.waiting import wait_for

pytestmark = marked


class Desk:
    """A queue, a delivery, and what it reports."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.namespace = fresh_namespace()
        self.store = ElasticsearchLogStore(url, self.namespace)
        self.queue = DurableQueue(folder / "queue.sqlite", limit_bytes=10**8, report=print)
        self.registry = CollectorRegistry()
        self.reports: list[str] = []
        letters = DeadLetters(folder / "dead.jsonl", lambda: datetime.now(UTC))
        metrics = CollectorMetrics(self.registry, lambda: 1.0)
        parts = DeliveryParts(
            self.queue,
            self.store,
            letters,
            metrics,
            self.reports.append,
            settled=lambda: None,
            scatter=cycle([0.0, 0.5, 0.75]).__next__,
        )
        self.delivery = Delivery(parts)

    def stream(self, dataset: str) -> str:
        """The stream of a dataset."""
        return f"logs-{dataset}-{self.namespace}"

    def put(self, name: str, dataset: str) -> None:
        """Queue one document."""
        line = ecs_line(name, **{"event.dataset": dataset}).encode()
        self.queue.put([Document(name, self.stream(dataset), line, "", "", 0, "")])

    def block(self, dataset: str, *, on: bool) -> None:
        """Make a stream read-only as the flood stage does, or writable again."""
        setting = {"index.blocks.read_only_allow_delete": True if on else None}
        url = f"{self.url}/{self.stream(dataset)}/_settings"
        httpx.put(url, json=setting, trust_env=False).raise_for_status()

    def up(self) -> float | None:
        """What the metrics say."""
        return self.registry.get_sample_value("sereno_collector_up")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Deliver meanwhile."""
        stop = Event()
        thread = threading.Thread(target=self.delivery.run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def drained(self) -> bool:
        """Whether nothing waits."""
        return not self.queue.state().documents


@pytest.fixture
def desk(elasticsearch: ElasticsearchServer, tmp_path: Path) -> Iterator[Desk]:
    """A delivery before the real server."""
    made = Desk(elasticsearch.url, tmp_path)
    with closing(made.store), closing(made.queue):
        yield made


def test_a_stream_that_is_blocked_is_one_trouble_while_others_are_stored(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told once, and its end once, though the workers store other streams' documents all the time."""
    monkeypatch.setattr(delivery, "LONGEST_DELAY_SECONDS", 0.4)
    with desk.running():
        desk.put("first", "full")
        desk.put("first", "free")
        wait_for(desk.drained, what="both streams exist")
        desk.block("full", on=True)
        desk.put("blocked", "full")
        wait_for(lambda: desk.up() == 0, what="the trouble is met")
        end = monotonic() + 3
        number = 0
        while monotonic() < end:
            desk.put(f"free {number}", "free")
            number += 1
            sleep(0.01)
        assert desk.up() == 0
        assert len(desk.reports) == 1
        desk.block("full", on=False)
        wait_for(lambda: desk.drained() and desk.up() == 1, what="the end of the trouble")
    told, ended = desk.reports
    assert "read-only" in told
    assert ended == "storing again"


def test_a_stream_that_is_blocked_holds_up_no_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though more of its documents wait than several requests can hold, those of other streams are stored."""
    monkeypatch.setattr(delivery, "LONGEST_DELAY_SECONDS", 0.4)
    with desk.running():
        for dataset in ("full", "free"):
            desk.put("first", dataset)
        wait_for(desk.drained, what="both streams exist")
        desk.block("full", on=True)
        line = ecs_line("x", **{"event.dataset": "full"}).encode()
        for part in range(6):
            ids = [f"{part}-{index}" for index in range(1_500)]
            desk.queue.put([Document(one, desk.stream("full"), line, "", "", 0, "") for one in ids])
        sleep(1)
        desk.put("second", "free")
        wait_for(lambda: desk.queue.state().documents == 9_000, what="the other stream's document is stored")
        desk.block("full", on=False)
        wait_for(desk.drained, what="the blocked ones are stored, too")
    assert desk.registry.get_sample_value("sereno_collector_documents_total", {"outcome": "indexed"}) == 9_003


def test_a_trouble_is_over_when_another_worker_has_stored_all(
    elasticsearch: ElasticsearchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker that met it pauses for as long as ever; that nothing waits any more is told before it looks again."""
    met = Event()

    def refuse_once(asked: Asked) -> Refusal | None:
        if "_bulk" not in asked.path or met.is_set():
            return None
        met.set()
        return Refusal(503)

    monkeypatch.setattr(delivery, "FIRST_DELAY_SECONDS", 600.0)
    with proxy_before(elasticsearch.url) as proxy:
        proxy.refuse = refuse_once
        desk = Desk(proxy.url, tmp_path)
        with closing(desk.store), closing(desk.queue), desk.running():
            desk.put("one", "app")
            wait_for(lambda: desk.drained() and desk.up() == 1, what="the other worker has stored it")
            wait_for(lambda: desk.reports[-1:] == ["storing again"], what="the end of the trouble")
    assert len(desk.reports) == 2


def test_pauses_double_and_are_scattered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From 0.2 seconds up to five, each between a half and the whole of that: many collectors do not come in step."""
    paused: list[float] = []

    class Hurried(Event):
        """It notes how long it would have waited; after eight times it is set."""

        def wait(self, timeout: float | None = None) -> bool:
            paused.append(timeout or 0.0)
            if len(paused) == 8:
                self.set()
            return self.is_set()

    desk = Desk(f"http://127.0.0.1:{free_port()}", tmp_path)
    monkeypatch.setattr(ElasticsearchSink, "in_flight", 1)
    with closing(desk.store), closing(desk.queue):
        desk.put("one", "app")
        desk.delivery.run(Hurried())
    shares = (0.5, 0.75, 0.875)
    whole = (0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0)
    assert paused == pytest.approx([seconds * shares[index % 3] for index, seconds in enumerate(whole)])


def test_two_requests_are_on_their_way_at_once_also_at_the_end(
    elasticsearch: ElasticsearchServer, tmp_path: Path
) -> None:
    """Of everything that is queued when the end is waited for, one request is answered while the other is sent."""
    both = Barrier(2)

    def meet(asked: Asked) -> Refusal | None:
        if "_bulk" in asked.path:
            both.wait(20)
        return None

    with proxy_before(elasticsearch.url) as proxy:
        desk = Desk(proxy.url, tmp_path)
        proxy.refuse = meet
        with closing(desk.store), closing(desk.queue):
            for part in range(2):
                line = ecs_line("x").encode()
                made = [Document(f"{part}-{index}", desk.stream("app"), line, "", "", 0, "") for index in range(1_500)]
                desk.queue.put(made)
            read = Event()
            read.set()
            desk.delivery.finish(read)
            assert desk.drained()
    assert not both.broken
