"""benchmarks/scale: what it takes for true is true, and what stands between servers does what it says."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest

from benchmarks.scale.between import Election, electing, stalling
from benchmarks.scale.judging import judgement, merged
from benchmarks.scale.rules import COPIES, rule_file
from benchmarks.scale.servers import Plan, Write, configuration
from benchmarks.scale.traffic import Schedule, Span, exposition, serving_http, serving_target

SCHEDULE = Schedule()


def test_all_traffic_lies_within_the_run_and_the_delays() -> None:
    """Nothing before, nothing after; 300 s of 20 events a second, a half of them bad for two minutes."""
    assert (SCHEDULE.events(60), SCHEDULE.bad(60)) == (0, 0)
    assert SCHEDULE.events(400) == SCHEDULE.events(SCHEDULE.end) == 6000
    assert SCHEDULE.bad(SCHEDULE.end) == 20 * 180 * 0.01 + 20 * 120 * 0.5
    # Two minutes of delay, a minute of entry and a minute until the next evaluation.
    assert SCHEDULE.end - SCHEDULE.traffic.end > 180


def test_the_target_counts_by_the_clock() -> None:
    """What a scrape sees is what was counted until then, on top of what the process had counted before."""
    with serving_target(SCHEDULE, 1000.0, lambda: 1100.0) as address:
        text = httpx.get(f"http://{address}/metrics", trust_env=False).text
    assert text == exposition(SCHEDULE, 100, 1000)
    assert 'requests_total{code="200"} 1495\n' in text
    assert 'requests_total{code="500"} 15\n' in text


def test_an_election_lasts_until_the_timeout() -> None:
    """The elected replica's samples are taken; another's only after nothing came for more than half a minute."""
    now = 0.0
    election = Election(lambda: now, elected="b")
    assert not election.takes("a")
    assert election.takes("b")
    now = 30.0
    assert not election.takes("a")
    now = 30.1
    assert election.takes("a")
    assert not election.takes("b")
    now = 70.0
    assert election.takes("b")


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[bytes]]]:
    """Whatever is written to it, and its address."""
    taken: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with serving_http(Handler) as address:
        yield f"http://{address}", taken


def test_what_stands_between_passes_on_what_it_takes(receiver: tuple[str, list[bytes]]) -> None:
    """The tracker drops the other replica's writes, the network refuses all while it stalls."""
    url, taken = receiver
    schedule = Schedule(writes_held_back=(Span(0, 3600),))
    with ExitStack() as stack:
        tracker = stack.enter_context(electing(Election(time.time, elected="b"), url))
        stalled = stack.enter_context(stalling(schedule, time.time(), time.time, url))
        network = stack.enter_context(stalling(Schedule(writes_held_back=()), time.time(), time.time, url))
        addresses = (f"{tracker}/a", f"{tracker}/b", stalled, network)
        answers = [
            httpx.post(f"http://{one}/api/v1/write", content=one.encode(), trust_env=False).status_code
            for one in addresses
        ]
    assert answers == [204, 204, 503, 204]
    assert taken == [addresses[1].encode(), network.encode()]


def test_the_worst_copy_is_judged() -> None:
    """One copy that lost a tenth of the events and all that was bad, among right ones; a page 40 s after the begin."""
    right = (6000.0, 1236.0)
    found = judgement([right, (5400.0, 0.0)], {"calls-1": 235.0}, 0.0, SCHEDULE)
    assert found.events_error == pytest.approx(-0.1)
    assert found.ratio_error == pytest.approx(-1)
    assert found.page_delays == (40.0,)
    assert judgement([right], {}, 0.0, SCHEDULE).events_error == 0


def test_prometheus_takes_the_configuration(tmp_path: Path) -> None:
    """A replica's passes promtool, with every rule in it."""
    rules = {"now": rule_file("now"), "after-2m": rule_file("after-2m", delay="2m")}
    plan = Plan(
        tmp_path,
        "prometheus",
        rules,
        "127.0.0.1:1",
        "a",
        (Write("http://127.0.0.1:2/api/v1/write", drops_replica=True),),
    )
    (tmp_path / "prometheus.yml").write_text(configuration(plan), encoding="utf-8")
    for service, text in rules.items():
        (tmp_path / f"{service}.rules.yaml").write_text(text, encoding="utf-8")
        assert text.count("- name: sereno:") == 2 * COPIES
    command = ["promtool", "check", "config", str(tmp_path / "prometheus.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "offset 2m" in rules["after-2m"]


def test_merged_entries_change_replica_once() -> None:
    """The first's until its gap, then the second's for good: what the first catches up is in neither."""
    first = {("calls-1", float(at)): value for at, value in ((60, 10), (120, 10), (420, 50), (480, 10))}
    second = {("calls-1", float(at)): 10.0 for at in range(70, 500, 60)}
    assert merged(first, second, "calls-1") == 80
    assert merged({**first, ("calls-2", 60.0): 1.0}, second, "calls-2") == 1
