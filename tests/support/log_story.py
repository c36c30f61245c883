"""The story of one log file: an emitter, a collector, what strikes them, and what became of every line."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx

from benchmarks.durability.collector import Collector, Place
from benchmarks.durability.emitter import Order, emitted
from benchmarks.durability.oracle import Verdict, dead_lines, indexed_lines, judge
from support.elasticsearch import ElasticsearchServer
from support.waiting import wait_for

DRAIN_SECONDS = 10.0
NOTHING: Mapping[str, str] = {}


class Story:
    """One emitter that rotates its file, one collector, and what became of the lines."""

    def __init__(
        self,
        folder: Path,
        server: ElasticsearchServer,
        url: str,
        seconds: float,
        *,
        environment: Mapping[str, str] = NOTHING,
        queue_folder: Path | None = None,
        lines_per_second: int = 100,
        poison: bool = False,
    ) -> None:
        node = f"story{uuid4().hex}-"
        self._order = Order(
            path=str(folder / "app.log"),
            journal=str(folder / "journal"),
            node=node,
            dataset=node.removesuffix("-"),
            lines_per_second=lines_per_second,
            seconds=seconds,
            seed=0,
            rotation="rename",
            poison=poison,
        )
        self._server = server
        self._place = Place(folder, (Path(self._order.path),), url, environment=environment, queue_folder=queue_folder)
        self.collector = Collector(self._place)

    @contextmanager
    def emitting(self) -> Iterator[subprocess.Popen[bytes]]:
        """Lines are written meanwhile, and no longer than the story's seconds."""
        self.emitter = subprocess.Popen([sys.executable, "-m", "benchmarks.durability.emitter", self._order.text()])
        try:
            yield self.emitter
        finally:
            self.emitter.wait()

    @property
    def stream(self) -> str:
        """Where the lines go."""
        return f"logs-{self._order.dataset}-default"

    def wait_until_said(self, text: str, *, seconds: float = 20.0) -> None:
        """Wait until the collector says this."""
        wait_for(lambda: text in self.said(), what=f"the collector says: {text}", timeout_seconds=seconds)

    def start(self, *, environment: Mapping[str, str] | None = None) -> None:
        """Start a collector, with other variables than the one before if some are given."""
        if environment is not None:
            self._place = replace(self._place, environment=environment)
            self.collector = Collector(self._place)
        self.collector.start_and_wait()

    def said(self) -> str:
        """What the collector has said up to now."""
        return self._place.log.read_text()

    def drained(self, seconds: float = DRAIN_SECONDS) -> Verdict:
        """The verdict as soon as nothing lacks, at the latest after these seconds."""
        deadline = time.monotonic() + seconds
        with httpx.Client(base_url=self._server.url, trust_env=False, timeout=30) as client:
            while True:
                is_over = time.monotonic() > deadline
                try:
                    verdict = self._verdict(client)
                except httpx.HTTPStatusError as error:  # an index that was made just now can't be searched yet
                    if is_over or error.response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                        raise
                else:
                    if not verdict.lost or is_over:
                        return verdict
                time.sleep(0.3)

    def _verdict(self, client: httpx.Client) -> Verdict:
        expected = {self._order.node: emitted(Path(self._order.journal))}
        dead = dead_lines(client, self._place.dead_letters, tuple(expected))
        return judge(expected, indexed_lines(client, self._order.dataset), dead)
