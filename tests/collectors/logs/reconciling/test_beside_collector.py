"""`sereno reconcile` while a real collector works: never a false alarm, on both stores."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from sereno_backends.logs import ElasticsearchLogStore, LogStore, SqliteLogStore
from sereno_backends.logs.ecs import format_timestamp
from sereno_cli.main import run
from support.collecting import Bench, ecs_line
from support.elasticsearch import fresh_namespace
from support.waiting import wait_for

SECONDS = 4.0


@pytest.fixture
def bench(tmp_path: Path, location: str) -> Iterator[Bench]:
    """A collector into each store."""
    opened: LogStore
    if location.startswith("http"):
        opened = ElasticsearchLogStore(location, fresh_namespace())
    else:
        opened = SqliteLogStore(location)
    with closing(Bench(tmp_path, opened)) as made:
        made.real_time = True
        yield made


def test_what_moves_is_never_said_to_be_missing(
    bench: Bench, location: str, source: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """While lines are written, queued and stored, every answer is proven; in the end every line is counted."""
    monkeypatch.delenv("SERENO_ELASTICSEARCH_URL", raising=False)
    written, ended = 0, threading.Event()

    def write() -> None:
        nonlocal written
        while not ended.is_set():
            moment = format_timestamp(datetime.now(UTC))
            names = {"service.name": source, "service.node.name": source, "@timestamp": moment}
            lines = [ecs_line("hello", **names, **{"event.sequence": written + number + 1}) for number in range(20)]
            bench.append(*lines)
            written += len(lines)
            time.sleep(0.02)

    arguments = ["reconcile", "--since", "1h", "--settle", "now", "--service", source, "--log-store", location]
    arguments += ["--queue", str(bench.queue), "--dead-letters", str(bench.dead_letters), "--json"]
    if location.startswith("http"):
        monkeypatch.setenv("SERENO_ELASTICSEARCH_URL", location)
    threads = [threading.Thread(target=bench.start().follow), threading.Thread(target=write)]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: bench.count("indexed"), what="the first lines are stored")
        answers = []
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            capsys.readouterr()
            code = run(arguments)
            printed = capsys.readouterr()
            answers.append((code, orjson.loads(printed.out)["gaps"] if printed.out else printed.err))
        ended.set()
        threads[1].join(10)
        wait_for(
            lambda: bench.count("received") == written and bench.gauge("lag_bytes") == 0,
            what="all is stored",
            timeout_seconds=90,
        )
        run(arguments)
    finally:
        ended.set()
        bench.stop.set()
        for thread in threads:
            thread.join(10)
    assert answers
    assert all(answer == (0, []) for answer in answers), answers
    hours = orjson.loads(capsys.readouterr().out)["hours"]
    assert sum(row["emitted"] for row in hours) == sum(row["indexed"] for row in hours) == written
