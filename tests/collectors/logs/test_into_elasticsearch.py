"""The collector before a real Elasticsearch: outages, kills and refused documents."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sereno_backends.logs import ElasticsearchLogStore
from support.closable_door import ClosableDoor
from support.collecting import ALWAYS, Bench, ecs_line
from support.elasticsearch import ElasticsearchServer, fresh_namespace, install_picky_template, marked
from support.timing import timed
from support.waiting import wait_for

pytestmark = marked

COMMAND = [sys.executable, "-c", "from sereno_cli.main import main; main()", "collect", "logs", "--file", "app.log"]


@pytest.fixture
def namespace() -> str:
    """A namespace of this test alone."""
    return fresh_namespace()


@pytest.fixture
def bench(tmp_path: Path, elasticsearch: ElasticsearchServer, namespace: str) -> Iterator[Bench]:
    """A collector into the real server."""
    with closing(Bench(tmp_path, ElasticsearchLogStore(elasticsearch.url, namespace))) as made:
        yield made


def letters_of(server: ElasticsearchServer, namespace: str) -> list[dict[str, Any]]:
    """The documents of the dead-letter stream."""
    address = f"{server.url}/logs-sereno.dead_letter-{namespace}"
    httpx.post(f"{address}/_refresh", trust_env=False).raise_for_status()
    return [hit["_source"] for hit in httpx.get(f"{address}/_search", trust_env=False).json()["hits"]["hits"]]


def test_what_elasticsearch_refuses_goes_to_the_dead_letters_once(
    bench: Bench, elasticsearch: ElasticsearchServer, namespace: str
) -> None:
    """A poison line is kept with its reason and place, its neighbours are stored, and a repetition adds no letter."""
    install_picky_template(elasticsearch.url, f"logs-app-{namespace}")
    poison = ecs_line("poison", **{"user.id": "no object"})
    bench.append(ecs_line("one"), poison, "plain text")
    bench.start()
    bench.drain()
    assert bench.messages() == ["one", "plain text"]
    assert [bench.count(outcome) for outcome in ("received", "indexed", "duplicate", "dead_lettered")] == [3, 2, 0, 1]
    (letter,) = letters_of(elasticsearch, namespace)
    assert orjson.loads(letter["sereno"]["dead_letter"]["document"])["message"] == "poison"
    assert "object mapping for [user.id]" in letter["error.message"]
    assert letter["log.offset"] == len(ecs_line("one")) + 1
    bench.end()
    for path in (bench.checkpoint, *bench.folder.glob("queue.sqlite*")):  # as if nothing had been noted down
        path.unlink()
    bench.drain()
    assert [bench.count(outcome) for outcome in ("received", "indexed", "duplicate", "dead_lettered")] == [3, 0, 2, 1]
    assert len(letters_of(elasticsearch, namespace)) == 1


def test_an_outage_of_the_server_loses_and_repeats_nothing(
    tmp_path: Path, elasticsearch_door: ClosableDoor, namespace: str
) -> None:
    """Lines written before, while and after nobody reaches the server are all there once, and the figures add up."""
    with closing(Bench(tmp_path, ElasticsearchLogStore(elasticsearch_door.url, namespace))) as bench:
        _outlive_an_outage(bench, elasticsearch_door)


def _outlive_an_outage(bench: Bench, elasticsearch_door: ClosableDoor) -> None:
    bench.real_time = True
    thread = threading.Thread(target=bench.start().follow)
    thread.start()
    try:
        bench.append(*(ecs_line(f"before {number}") for number in range(50)))
        wait_for(lambda: bench.count("indexed") == 50, what="the first lines are stored")
        elasticsearch_door.close()
        bench.append(*(f"meanwhile {number}" for number in range(50)))
        wait_for(lambda: bench.gauge("up") == 0, what="the outage shows")
        bench.log.rename(bench.folder / "app.log.1")
        bench.append(*(f"in a new file {number}" for number in range(50)))
        elasticsearch_door.open()
        wait_for(lambda: bench.gauge("lag_bytes") == 0, what="the queue is worked off")
        bench.append("after")
        wait_for(lambda: bench.gauge("lag_bytes") == 0 and bench.count("received") == 151, what="the last line")
    finally:
        bench.stop.set()
        thread.join(10)
    assert len(bench.messages()) == len(set(bench.messages())) == 151
    assert (bench.count("indexed") or 0) + (bench.count("duplicate") or 0) == 151
    assert bench.count("dead_lettered") == 0
    assert any("can't be reached" in report for report in bench.reports)
    assert bench.reports[-1] == "storing again"


def block_writing(url: str, stream: str, *, blocked: bool) -> None:
    """Set or lift the block that Elasticsearch itself sets when its disk is nearly full."""
    settings = {"index.blocks.read_only_allow_delete": blocked or None}
    httpx.put(f"{url}/{stream}/_settings", json=settings, trust_env=False).raise_for_status()


def test_a_server_whose_disk_is_full_is_waited_for(
    bench: Bench, elasticsearch: ElasticsearchServer, namespace: str
) -> None:
    """While Elasticsearch blocks writing because its disk is full, lines wait; none goes to the dead letters."""
    bench.append("one")
    bench.drain()
    block_writing(elasticsearch.url, f"logs-app-{namespace}", blocked=True)
    bench.append("two")
    bench.real_time = True
    thread = threading.Thread(target=bench.start().follow)
    thread.start()
    try:
        wait_for(lambda: bench.gauge("up") == 0, what="the block shows")
        block_writing(elasticsearch.url, f"logs-app-{namespace}", blocked=False)
        wait_for(lambda: bench.gauge("up") == 1, what="the line is stored")
    finally:
        bench.stop.set()
        thread.join(10)
    assert bench.messages() == ["one", "two"]
    assert not bench.dead_letters.exists()


def test_a_killed_collector_loses_and_repeats_nothing(tmp_path: Path, elasticsearch: ElasticsearchServer) -> None:
    """Killed at arbitrary moments while lines are written, each line is in Elasticsearch once."""
    log = tmp_path / "app.log"
    service = fresh_namespace()  # all collectors write into the default namespace: the test knows its lines by this
    stop = threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        while not stop.is_set():
            with log.open("a") as file:
                for _ in range(20):
                    file.write(ecs_line(f"line {written}", **{"service.name": service}) + "\n")
                    written += 1
            time.sleep(0.005)

    environment = {**os.environ, "SERENO_ELASTICSEARCH_URL": elasticsearch.url}
    log.touch()
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for seconds in (1.2, 1.7, 1.45):
            collector = subprocess.Popen(
                [*COMMAND, "--metrics-port", "0"], env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL
            )
            time.sleep(seconds)
            os.kill(collector.pid, signal.SIGKILL)
            collector.wait(10)
    finally:
        stop.set()
        writer.join()
    done = subprocess.run(
        [*COMMAND, "--once"], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    with closing(ElasticsearchLogStore(elasticsearch.url)) as store:
        messages = [record.message for record in store.search(ALWAYS) if record.service == service]
    assert len(messages) == len(set(messages)) == written > 0


@timed
def test_a_server_that_hangs_does_not_hold_up_the_end(tmp_path: Path, elasticsearch: ElasticsearchServer) -> None:
    """While a request hangs, a signal ends the collector within two seconds; the next run stores the line once."""
    service = fresh_namespace()
    log = tmp_path / "app.log"
    log.touch()
    environment = {**os.environ, "SERENO_ELASTICSEARCH_URL": elasticsearch.url}
    process = subprocess.Popen(
        [*COMMAND, "--metrics-port", "0"],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    elasticsearch.freeze()
    try:
        log.write_text(ecs_line("one", **{"service.name": service}) + "\n")
        time.sleep(0.6)  # it has been read by now, and the request hangs
        began = time.monotonic()
        process.terminate()
        _, errors = process.communicate(timeout=10)
        assert time.monotonic() - began < 2
    finally:
        elasticsearch.thaw()
    assert process.returncode == 0
    assert "did not answer in time; what is queued is sent at the next start" in errors
    done = subprocess.run(
        [*COMMAND, "--once"], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    with closing(ElasticsearchLogStore(elasticsearch.url)) as store:
        assert [record.message for record in store.search(ALWAYS) if record.service == service] == ["one"]
