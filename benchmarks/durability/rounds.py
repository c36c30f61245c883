"""One round: emit under faults, heal, drain, judge."""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Protocol, assert_never

import httpx

from benchmarks.durability.collector import Collector, Place
from benchmarks.durability.emitter import Order, emitted
from benchmarks.durability.oracle import Verdict, dead_lines, indexed_lines, judge
from benchmarks.durability.plan import Fault, Plan, Strike
from benchmarks.durability.proxy import Breaker, Manner, running_breaker

DRAIN_SECONDS = 60.0
SETTLE_SECONDS = 1.0
BLOCK = "index.blocks.read_only_allow_delete"
USERS_PROPERTIES = {
    "@timestamp": {"type": "date_nanos"},
    "service.node.name": {"type": "keyword"},
    "event.sequence": {"type": "long"},
    "user.nick": {"type": "keyword"},
}
"""A mapping of a user's own: Sereno's refuses next to nothing, and dead letters are to be proved, too."""


class Node(Protocol):
    """A server that may be ended and started again on the same address."""

    url: str

    def start(self) -> None:
        """Start it unless it runs; it answers when this returns."""

    def stop(self) -> None:
        """End it in order."""

    def kill(self) -> None:
        """Kill -9."""

    def freeze(self) -> None:
        """Let it hang."""

    def thaw(self) -> None:
        """Let it go on."""


class Round:
    """The parts of one round while it runs."""

    def __init__(self, plan: Plan, server: Node, breaker: Breaker, folder: Path) -> None:
        self._plan, self._server, self._breaker, self._folder = plan, server, breaker, folder
        self.dataset = f"r{plan.seed}.{time.time_ns()}"  # a seed that is run again in this process is another stream
        self._client = httpx.Client(base_url=server.url, trust_env=False, timeout=30)
        self._orders = [self._order(place, rotation) for place, rotation in enumerate(plan.rotations)]
        files = tuple(dict.fromkeys(Path(order.path) for order in self._orders))
        self.place = Place(folder, files, breaker.url, plan.small_queue)
        self._collector = Collector(self.place)
        # What is rotated away before a collector's first look counts as an archive from before its time.
        self._collector.start_and_wait()
        if plan.poison:
            self._map_as_a_user()
        self._begun = time.monotonic()
        self._emitters = [_emitter(order) for order in self._orders]

    def run(self) -> Verdict:
        """Everything, in order."""
        if self._plan.after_first_line:
            self._wait_for_first_line()
        for strike in self._plan.strikes:
            time.sleep(max(0.0, strike.at_seconds - (time.monotonic() - self._begun)))
            self._strike(strike)
        for emitter in self._emitters:
            emitter.wait(self._plan.seconds + DRAIN_SECONDS)
        self._heal()
        self._wait_until_nothing_lacks()
        time.sleep(SETTLE_SECONDS)  # what would be doubled by a late repetition is there by now
        self._collector.stop()
        return self._verdict()

    def close(self) -> None:
        """End what runs."""
        self._collector.kill()
        for emitter in self._emitters:
            if emitter.poll() is None:
                emitter.kill()
            emitter.wait()
        self._client.close()

    def _order(self, place: int, rotation: str) -> Order:
        node = f"{self.dataset}-e{place}-"
        return Order(
            path=str(self._folder / f"app{place}.log"),
            journal=str(self._folder / f"{node}.journal"),
            node=node,
            dataset=self.dataset,
            lines_per_second=self._plan.lines_per_second,
            seconds=self._plan.seconds,
            seed=self._plan.seed + place,
            rotation=rotation,
            poison=self._plan.poison,
            clock_jumps=self._plan.clock_jumps,
        )

    def _map_as_a_user(self) -> None:
        """A template before the stream: a rollover keeps it, so a poison document is refused whenever it is sent."""
        stream = f"logs-{self.dataset}-default"
        template = {"mappings": {"dynamic": False, "properties": USERS_PROPERTIES}}
        asked = {"index_patterns": [stream], "data_stream": {}, "priority": 1_000, "template": template}
        self._client.put(f"/_index_template/users-{stream}", json=asked).raise_for_status()

    def _strike(self, strike: Strike) -> None:  # noqa: C901, PLR0912 - one case for each fault
        match strike.fault:
            case Fault.COLLECTOR_KILLED:
                self._kill_collector()
            case Fault.COLLECTOR_KILLED_TWICE:
                self._kill_collector()
                time.sleep(strike.lasts_seconds)
                self._kill_collector()
            case Fault.EMITTER_KILLED:
                self._kill_emitter()
            case Fault.SERVER_KILLED:
                self._server.kill()
                self._server.start()
            case Fault.SERVER_RESTARTED:
                self._server.stop()
                self._server.start()
            case Fault.SERVER_FROZEN:
                self._server.freeze()
                time.sleep(strike.lasts_seconds)
                self._server.thaw()
            case Fault.FLOOD_STAGE:
                self._block(on=True)
                time.sleep(strike.lasts_seconds)
                self._block(on=False)
            case Fault.ROLLOVER:
                self._client.post(f"/logs-{self.dataset}-default/_rollover")
            case Fault.CUT_REQUEST:
                self._pass_badly(Manner.CUT_REQUEST, strike)
            case Fault.CUT_ANSWER:
                self._pass_badly(Manner.CUT_ANSWER, strike)
            case Fault.SWALLOW_ANSWER:
                self._pass_badly(Manner.SWALLOW_ANSWER, strike)
            case Fault.REFUSED:
                self._pass_badly(Manner.REFUSE, strike)
            case Fault.TOO_LARGE:
                self._breaker.manner = Manner.TOO_LARGE  # until something else or the end
            case Fault.SLOW:
                self._pass_badly(Manner.SLOW, strike)
            case _:
                assert_never(strike.fault)

    def _kill_collector(self) -> None:
        self._collector.kill()
        self._collector.start()

    def _kill_emitter(self) -> None:
        """Kill the first one; another process goes on with the same file, as another source."""
        victim = self._emitters[0]
        if victim.poll() is None:
            os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
        node = f"{self.dataset}-again{len(self._orders)}-"
        left = max(0.5, self._plan.seconds - (time.monotonic() - self._begun))
        order = replace(self._orders[0], node=node, journal=str(self._folder / f"{node}.journal"), seconds=left)
        self._orders.append(order)
        self._emitters[0] = _emitter(order)

    def _pass_badly(self, manner: Manner, strike: Strike) -> None:
        self._breaker.manner = manner
        time.sleep(strike.lasts_seconds)
        self._breaker.manner = Manner.PASS

    def _block(self, *, on: bool) -> None:
        """What the server does itself when its disk is nearly full; a stream that is not there yet is not blocked."""
        self._client.put(f"/logs-{self.dataset}-default/_settings", json={BLOCK: True if on else None})

    def _heal(self) -> None:
        self._breaker.manner = Manner.PASS
        self._server.start()
        self._block(on=False)
        self._collector.start()

    def _wait_for_first_line(self) -> None:
        deadline = time.monotonic() + self._plan.seconds
        while not indexed_lines(self._client, self.dataset) and time.monotonic() < deadline:
            time.sleep(0.1)

    def _wait_until_nothing_lacks(self) -> None:
        deadline = time.monotonic() + DRAIN_SECONDS
        while self._verdict().lost and time.monotonic() < deadline:
            self._collector.start()  # one that ended by itself would be started again by its service manager
            time.sleep(0.5)

    def _verdict(self) -> Verdict:
        expected = {order.node: emitted(Path(order.journal)) for order in self._orders}
        dead = dead_lines(self._client, self.place.dead_letters, tuple(expected))
        return judge(expected, indexed_lines(self._client, self.dataset), dead)


def run_round(plan: Plan, server: Node, folder: Path) -> Verdict:
    """Run one round in `folder`, which must exist and be empty."""
    server.start()
    with ExitStack() as cleanup:
        breaker = cleanup.enter_context(running_breaker(server.url, plan.seed))
        round_ = Round(plan, server, breaker, folder)
        cleanup.callback(round_.close)
        return round_.run()


def _emitter(order: Order) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "benchmarks.durability.emitter", order.text()])
