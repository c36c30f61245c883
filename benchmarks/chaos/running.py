"""One run: the demo's world and a receiver of webhooks, struck at random while everything is counted; the verdict."""

import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families
from sereno_backends.prometheus import PrometheusClient
from sereno_cli.demo.observing import incidents
from sereno_cli.demo.part import Part
from sereno_cli.demo.places import DemoError, free_addresses
from sereno_cli.demo.switching import LOG
from sereno_cli.demo.world import World, running_world

from benchmarks.chaos.account import Account, account_of_lines, account_of_webhooks
from benchmarks.chaos.budgets import COUNTER, SERVICE, Budget, Seen, judge_budgets
from benchmarks.chaos.emitting import Emitted, Emitting, until
from benchmarks.chaos.pages import Pages, Watch, judge_pages, telling_receivers
from benchmarks.chaos.plan import strikes
from benchmarks.chaos.probes import JOB, Probes, timetable, write_rules
from benchmarks.chaos.striking import Record, strike_all
from benchmarks.devops_webhooks.servers import write_configuration

ENTERED_SECONDS = 135.0
"""Until the last request is in an entry: a scrape, an evaluation a minute, and the next one."""
ENDED_SECONDS = 420.0
"""Until Alertmanager has heard the end of everything: what Prometheus doesn't resolve itself, because it was killed
meanwhile, is over four minutes after it was told last."""
DRAINED_SECONDS = 60.0
_FAULT_SHARE = (0.15, 0.4)
"""Of the run: while requests fail."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was done, and what is left of it."""

    seed: int
    record: Record
    emitted: Emitted
    lines: Account
    webhooks: Account
    pages: Pages
    budgets: tuple[Budget, ...]
    evaluated_share: float
    """Of the run's minutes, those that have an entry of the ledger."""

    @property
    def good(self) -> bool:
        """Nothing is lost."""
        accounts = self.lines.good and self.webhooks.good and self.pages.good
        return accounts and not self.record.failures and all(budget.good for budget in self.budgets)


@dataclass(frozen=True, slots=True)
class Order:
    """What a run is to do."""

    seconds: float
    """How long processes are struck."""
    seed: int
    tell: Callable[[str], None] = print
    """Is told each step."""


def run_chaos(clone: Path, state: Path, order: Order) -> Report:
    """Strike for so long, mend, wait until nothing is on its way, judge.

    Raises:
        DemoError: the world didn't come up.
    """
    probes = Probes(timetable(order.seconds, order.seed))
    with ExitStack() as stack:
        probe_port = stack.enter_context(probes.served())
        devops_port = stack.enter_context(free_addresses(("devops",))).port("devops")
        world = stack.enter_context(running_world(clone, state, order.tell))
        _add_parts(world, devops_port, probe_port)
        return _Chaos(world, probes, devops_port, order).run()


class _Chaos:
    """The threads of one run."""

    def __init__(self, world: World, probes: Probes, devops_port: int, order: Order) -> None:
        self._world, self._probes = world, probes
        self._seconds, self._seed, self._tell = order.seconds, order.seed, order.tell
        places, addresses = world.places, world.addresses
        self._log = places.log_of(LOG)
        self._emitting = Emitting(addresses.url(f"{SERVICE}.api"), self._log, devops_port)
        self._watch = Watch(addresses.url("alertmanager"), telling_receivers(places.state / "alertmanager.yml"))
        self._record = Record()
        self._fault = world.faults[0][1]
        self._fault_is_on = False

    def run(self) -> Report:
        """Everything, in order."""
        begun, before = self._counted_before()
        watching = self._watch.start()
        self._emitting.start()
        planned = strikes(self._seconds, self._seed)
        self._tell(f"striking {len(planned)} times within {self._seconds:.0f} s, seed {self._seed}")
        threads = [*strike_all(self._world.supervisor, planned, self._record, self._is_back), self._probes.run()]
        fault = threading.Thread(target=self._break, name="fault")
        fault.start()
        for thread in (*threads, fault):
            thread.join()
        emitted = self._emitting.end()
        self._tell("nobody is struck any more; waiting until nothing is on its way")
        last = time.monotonic()
        until(lambda: self._lines().good, DRAINED_SECONDS)
        until(lambda: self._pages().good, ENDED_SECONDS)
        time.sleep(max(0.0, last + ENTERED_SECONDS - time.monotonic()))
        self._watch.end()
        watching.join()
        with PrometheusClient(self._world.addresses.url("prometheus")) as client:
            seen = Seen.by(client, begun)
        minutes = max(1.0, (time.time() - begun) / 60 - 2)  # the first and the last are no whole ones
        entries = max((len(series.points) for series in seen.entries), default=0)
        return Report(
            self._seed,
            self._record,
            emitted,
            self._lines(),
            account_of_webhooks(emitted.webhooks, self._world.places.state / "devops.sqlite"),
            self._pages(),
            judge_budgets(seen, emitted.requests, self._record, before),
            min(1.0, entries / minutes),
        )

    def _counted_before(self) -> tuple[float, Mapping[str, int]]:
        """The demo's own load ends: only ours knows what it was answered. What it did is a part of the truth.

        When the service started, before which all is simulated history; and what it has counted since, by status code.
        """
        self._world.supervisor.stop_part(f"{SERVICE}.load")
        time.sleep(1.5)
        text = httpx.get(f"{self._world.addresses.url(f'{SERVICE}.api')}/metrics", trust_env=False, timeout=10).text
        found: dict[str, int] = {}
        begun = time.time()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == "process_start_time_seconds":
                    begun = sample.value
                if sample.name == COUNTER and sample.labels.get("http_route", "").startswith("/transactions"):
                    code = sample.labels["http_response_status_code"]
                    found[code] = found.get(code, 0) + round(sample.value)
        return begun, found

    def _break(self) -> None:
        """Requests fail for a while: a budget that is spent, and its alert."""
        begin, end = (share * self._seconds for share in _FAULT_SHARE)
        time.sleep(begin)
        self._fault_is_on = True
        self._switch()
        time.sleep(end - begin)
        self._fault_is_on = False
        self._switch()

    def _is_back(self, part: str) -> None:
        if part == SERVICE and self._fault_is_on:  # a process that is killed forgets it
            self._switch()

    def _switch(self) -> None:
        """Whoever is down or frozen now is switched when it is back, or forgets the fault by dying."""
        with suppress(DemoError):
            (self._world.switchboard.on if self._fault_is_on else self._world.switchboard.off)(self._fault)

    def _lines(self) -> Account:
        places = self._world.places
        logs = (self._log, places.log_of(SERVICE))
        return account_of_lines(logs, places.log_store, places.state / "dead-letters.jsonl")

    def _pages(self) -> Pages:
        return judge_pages(self._watch.seen, self._watch.active, self._probes.planned, incidents(self._world.run))


def _add_parts(world: World, devops_port: int, probe_port: int) -> None:
    """A receiver of webhooks; and Prometheus watches it and the probes."""
    places = world.places
    configuration = write_configuration(places.state)
    command = (sys.executable, "-m", "sereno_cli", "collect", "devops", "--config", str(configuration))
    arguments = (*command, "--store", str(places.state / "devops.sqlite"), "--port", str(devops_port))
    part = Part("devops", arguments, f"http://127.0.0.1:{devops_port}/health", {"SERENO_ELASTICSEARCH_URL": ""})
    world.supervisor.wait_healthy(world.supervisor.start(part))
    path = places.state / "prometheus.yml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["rule_files"].append(str(write_rules(places.state)))
    for job, port in ((JOB, probe_port), ("sereno-devops", devops_port)):
        target = {"targets": [f"127.0.0.1:{port}"]}
        document["scrape_configs"].append({"job_name": job, "static_configs": [target]})
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    world.supervisor.stop_part("prometheus")  # it reads its configuration when it starts
    world.supervisor.start_part("prometheus")
