"""Single troubles, told from the beginning, against the real server."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
from support.elasticsearch import ElasticsearchServer, marked
from support.proxy import Proxy, Refusal, proxy_before

from benchmarks.durability.collector import Collector, Place
from benchmarks.durability.emitter import Order, emitted
from benchmarks.durability.oracle import Verdict, dead_lines, indexed_lines, judge
from benchmarks.durability.proxy import Manner, running_breaker

pytestmark = marked

DRAIN_SECONDS = 10.0


class Story:
    """One emitter that rotates its file, one collector, and what became of the lines."""

    def __init__(self, folder: Path, server: ElasticsearchServer, url: str, seconds: float) -> None:
        node = f"story{uuid4().hex}-"
        self._order = Order(
            path=str(folder / "app.log"),
            journal=str(folder / "journal"),
            node=node,
            dataset=node.removesuffix("-"),
            lines_per_second=100,
            seconds=seconds,
            seed=0,
            rotation="rename",
        )
        self._server = server
        self._place = Place(folder, (Path(self._order.path),), url)
        self.collector = Collector(self._place)

    @contextmanager
    def emitting(self) -> Iterator[subprocess.Popen[bytes]]:
        """Lines are written meanwhile, and no longer than the story's seconds."""
        emitter = subprocess.Popen([sys.executable, "-m", "benchmarks.durability.emitter", self._order.text()])
        try:
            yield emitter
        finally:
            emitter.wait()

    def said(self) -> str:
        """What the collector has said up to now."""
        return self._place.log.read_text()

    def drained(self) -> Verdict:
        """The verdict as soon as nothing lacks, at the latest after some seconds."""
        deadline = time.monotonic() + DRAIN_SECONDS
        with httpx.Client(base_url=self._server.url, trust_env=False, timeout=30) as client:
            while True:
                expected = {self._order.node: emitted(Path(self._order.journal))}
                dead = dead_lines(client, self._place.dead_letters, tuple(expected))
                verdict = judge(expected, indexed_lines(client, self._order.dataset), dead)
                if not verdict.lost or time.monotonic() > deadline:
                    return verdict
                time.sleep(0.3)


def test_a_kill_before_the_first_answer_loses_no_rotated_file(
    elasticsearch: ElasticsearchServer, tmp_path: Path
) -> None:
    """What was written and rotated away before the store ever answered is read after a kill -9."""
    with running_breaker(elasticsearch.url, seed=0) as breaker:
        story = Story(tmp_path, elasticsearch, breaker.url, seconds=5.0)
        breaker.manner = Manner.REFUSE
        try:
            story.collector.start_and_wait()
            with story.emitting():
                time.sleep(2.5)
                story.collector.kill()
            breaker.manner = Manner.PASS
            story.collector.start()
            verdict = story.drained()
        finally:
            story.collector.kill()
    assert verdict.emitted
    assert verdict.good


def test_credentials_that_are_refused_for_a_while_lose_nothing(
    elasticsearch: ElasticsearchServer, tmp_path: Path
) -> None:
    """Lines that come while the server refuses the credentials are stored when it takes them again."""
    with proxy_before(elasticsearch.url) as proxy:
        story = Story(tmp_path, elasticsearch, proxy.url.replace("http://", "http://sereno:secret@"), seconds=5.0)
        try:
            story.collector.start_and_wait()
            with story.emitting():
                _wait_for_bulk(proxy)
                proxy.refuse = lambda _: Refusal(401)
                time.sleep(2.0)
                proxy.refuse = lambda _: None
            verdict = story.drained()
        finally:
            story.collector.kill()
    assert verdict.emitted
    assert verdict.good
    assert "secret" not in story.said()
    assert all(asked.authorization for asked in proxy.asked)


def _wait_for_bulk(proxy: Proxy) -> None:
    deadline = time.monotonic() + 10.0
    while not any("_bulk" in asked.path for asked in proxy.asked) and time.monotonic() < deadline:
        time.sleep(0.05)
