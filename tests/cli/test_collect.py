"""`sereno collect logs` as a user runs, misuses and stops it."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx
import pytest
from sereno_backends.logs import SqliteLogStore
from support.collect_command import SERENO, collect, collecting, first_line, is_stored, messages
from support.collecting import ALWAYS, ecs_line
from support.elasticsearch import ElasticsearchServer, install_picky_template
from support.ports import free_port
from support.timing import timed
from support.waiting import wait_for


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of every command; the developer's own Elasticsearch is not meant."""
    monkeypatch.chdir(tmp_path)
    for name in ("URL", "API_KEY_FILE", "CA_FILE"):
        monkeypatch.delenv(f"SERENO_ELASTICSEARCH_{name}", raising=False)
    return tmp_path


def test_one_run_collects_what_is_there_and_prints_the_figures(folder: Path) -> None:
    """With --once the lines are stored, the figures printed, the outputs made with their folders; twice stores once."""
    log = folder / "app.log"
    log.write_text(ecs_line("one") + "\ntwo\n")
    done = collect("--file", "app.log", "--once")
    assert (done.returncode, done.stdout, done.stderr) == (0, "indexed 2, duplicates 0, dead letters 0\n", "")
    assert sorted(messages()) == ["one", "two"]
    assert collect("--file", "app.log", "--once").stdout == "indexed 0, duplicates 0, dead letters 0\n"
    for path in (folder / "var").glob("collector.*"):  # where reading stood
        path.unlink()
    assert collect("--file", "app.log", "--once").stdout == "indexed 0, duplicates 2, dead letters 0\n"


def test_a_line_is_searchable_within_a_second(folder: Path) -> None:
    """From the moment of writing to the moment of finding, a line takes less than a second."""
    log = folder / "app.log"
    log.touch()
    with collecting("--file", log) as process:
        assert str(log) in first_line(process)
        for number in range(5):
            with log.open("a") as file:
                file.write(f"line {number}\n")
            wait_for(partial(is_stored, f"line {number}"), what="searchable", timeout_seconds=1.0)


@timed
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_time_with_everything_stored(folder: Path, number: signal.Signals) -> None:
    """Told to stop, it stores what is written, ends within two seconds, with 0 and without a traceback."""
    log = folder / "app.log"
    log.touch()
    with collecting("--file", log) as process:
        first_line(process)
        log.write_text("".join(f"line {count}\n" for count in range(2000)))
        began = time.monotonic()
        process.send_signal(number)
        _, errors = process.communicate(timeout=10)
        assert time.monotonic() - began < 2
    assert (process.returncode, errors) == (0, "")
    assert len(messages()) == 2000


def test_it_shows_its_own_metrics(folder: Path) -> None:
    """The printed address serves the documented series."""
    log = folder / "app.log"
    log.write_text("one\n")
    with collecting("--file", log) as process:
        said = re.search(r"metrics on (http://127\.0\.0\.1:\d+/metrics)", first_line(process))
        assert said is not None

        def scraped() -> str:
            return httpx.get(said.group(1), trust_env=False).text

        wait_for(lambda: 'outcome="indexed"} 1.0' in scraped(), what="the line is counted")
        text = scraped()
    for sample in (
        'sereno_collector_documents_total{outcome="received"} 1.0',
        'sereno_collector_documents_total{outcome="duplicate"} 0.0',
        'sereno_collector_documents_total{outcome="dead_lettered"} 0.0',
        'sereno_collector_flawed_documents_total{flaw="not_json"} 1.0',
        "sereno_collector_failures_total 0.0",
        "sereno_collector_lag_bytes 0.0",
        "sereno_collector_up 1.0",
    ):
        assert sample in text
    written = re.search(r"^sereno_collector_last_write_timestamp_seconds (\S+)", text, re.MULTILINE)
    assert written is not None
    assert abs(float(written.group(1)) - time.time()) < 60


def test_a_file_that_is_not_there_yet_is_waited_for(folder: Path) -> None:
    """A service may start after its collector."""
    log = folder / "late.log"
    with collecting("--file", log) as process:
        first_line(process)
        log.write_text("one\n")
        wait_for(lambda: messages() == ["one"], what="the line is stored")
        process.terminate()
        _, errors = process.communicate(timeout=10)
    assert "does not exist yet; waiting for it" in errors


@timed
def test_an_idle_collector_costs_next_to_nothing(folder: Path) -> None:
    """With nothing to do it uses less than two percent of one core."""
    log = folder / "app.log"
    log.write_text("one\n")
    with collecting("--file", log) as process:
        first_line(process)
        wait_for(lambda: messages() == ["one"], what="the line is stored")
        before = cpu_seconds(process.pid)
        time.sleep(3)
        assert cpu_seconds(process.pid) - before < 0.06


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_help_has_examples_and_comes_at_once() -> None:
    """The help shows how the command is used, names the environment, and needs none of the heavy imports."""
    done = collect("--help")
    assert done.returncode == 0
    for text in ("sereno collect logs --file", "SERENO_ELASTICSEARCH_URL", "--once", "Exit codes", "19094"):
        assert text in done.stdout
    code = "import sys, sereno_cli.commands.collect; print({'elasticsearch', 'sqlite3', 'orjson'} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert loaded.stdout.strip() == "set()"


@pytest.mark.elasticsearch
@pytest.mark.xdist_group("elasticsearch")
def test_the_environment_chooses_elasticsearch(folder: Path, elasticsearch: ElasticsearchServer) -> None:
    """SERENO_ELASTICSEARCH_URL wins over --log-store, which is said; a poison line is told with its place."""
    url = elasticsearch.url
    install_picky_template(url, "logs-picky-default")
    lines = (
        ecs_line("one", **{"service.name": folder.name}),
        ecs_line("poison", **{"event.dataset": "picky", "user.id": "no object"}),
    )
    (folder / "app.log").write_text("\n".join(lines))
    done = collect("--file", "app.log", "--once", "--log-store", "x.sqlite", SERENO_ELASTICSEARCH_URL=url)
    assert (done.returncode, done.stdout) == (0, "indexed 1, duplicates 0, dead letters 1\n")
    assert "writing there, not to x.sqlite" in done.stderr
    assert "var/collector.dead-letters.jsonl" in done.stderr
    assert not (folder / "x.sqlite").exists()
    later = collect("--file", "app.log", "--once")
    assert "is of Elasticsearch" in later.stderr


@pytest.mark.usefixtures("folder")
def test_standard_input_is_collected_to_its_end() -> None:
    """What another program writes is stored, tracebacks as one event, and the command ends with the stream."""
    text = ecs_line("one") + "\nTraceback (most recent call last):\n  File x\nValueError: no\nlast without end"
    command = [*SERENO, "collect", "logs", "--stdin", "--service", "shop", "--metrics-port", "0"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
    stored = messages()
    assert len(stored) == 3
    assert {"one", "last without end"} < set(stored)
    assert any("ValueError: no" in message and "Traceback" in message for message in stored)


def test_a_message_that_nobody_can_get_stops_nothing(folder: Path) -> None:
    """The disk of stderr is full, as the queue's may be: collecting goes on."""
    (folder / "app.log").write_text("one\n")
    command = [*SERENO, "collect", "logs", "--file", "app.log", "--file", "missing.log", "--metrics-port", "0"]
    with Path("/dev/full").open("w") as full, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=full) as process:
        try:
            wait_for(lambda: (folder / "var/logs.sqlite").exists() and messages() == ["one"], what="it is stored")
        finally:
            process.terminate()
        assert process.wait(10) == 0


def test_a_pattern_never_makes_it_read_its_own_files(folder: Path) -> None:
    """A pattern that finds the collector's database, queue and checkpoint collects the logs beside them only."""
    (folder / "var").mkdir()
    (folder / "var/app.txt").write_text("one\n")
    for _ in range(2):
        done = collect("--file", "var/*", "--once")
        assert (done.returncode, done.stderr) == (0, "")
    assert messages() == ["one"]


def test_otlp_is_taken_and_acknowledged_when_it_is_on_disk(folder: Path) -> None:
    """A record that an SDK sends is stored, beside a followed file."""
    (folder / "app.log").write_text(ecs_line("from a file") + "\n")
    port = free_port()
    record = {"timeUnixNano": "1795650841493980483", "severityNumber": 9, "body": {"stringValue": "by OTLP"}}
    request = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    with collecting("--file", "app.log", "--otlp", f"127.0.0.1:{port}") as process:
        assert f"http://127.0.0.1:{port}/v1/logs" in first_line(process)
        answer = httpx.post(f"http://127.0.0.1:{port}/v1/logs", json=request, trust_env=False)
        assert answer.status_code == 200
        wait_for(lambda: set(messages()) == {"by OTLP", "from a file"}, what="both are stored")


def test_a_queue_that_was_changed_on_disk_ends_it_with_a_reason_and_the_next_start_goes_on(folder: Path) -> None:
    """No traceback, a sentence and exit code 3; started again, it rescues the rest and reads the lost lines anew."""
    log, queue = folder / "app.log", folder / "var" / "collector.queue.sqlite"
    log.write_text(ecs_line("one") + "\n")
    nobody = {**os.environ, "SERENO_ELASTICSEARCH_URL": f"http://127.0.0.1:{free_port()}"}

    def run() -> tuple[int, str]:
        command = [*SERENO, "collect", "logs", "--metrics-port", "0", "--file", str(log)]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=nobody) as started:
            first_line(started)
            time.sleep(1)
            started.send_signal(signal.SIGTERM)
            return started.wait(10), started.stderr.read() if started.stderr else ""

    assert run()[0] == 0
    with closing(sqlite3.connect(queue)) as connection, connection:
        ((number, body),) = connection.execute("SELECT number, body FROM parcel").fetchall()
        broken = body[:40] + bytes([body[40] ^ 1]) + body[41:]
        connection.execute("UPDATE parcel SET body = ? WHERE number = ?", (broken, number))
    code, errors = run()
    assert (code, "Traceback" in errors) == (3, False)
    assert "start again" in errors
    log.write_text(ecs_line("one") + "\n" + ecs_line("two") + "\n")
    code, errors = run()
    assert code == 0
    assert "was damaged" in errors
    with closing(sqlite3.connect(queue)) as connection:
        assert connection.execute("SELECT sum(documents) FROM parcel").fetchone() == (2,)


def test_each_file_is_read_in_the_format_that_is_asked_for(folder: Path) -> None:
    """A pattern forces the format of its files alone; the zone is of times that name none."""
    (folder / "one.log").write_text("2026-07-01 12:00:00 ERROR no bank\n")
    (folder / "raw.log").write_text("2026-07-01 12:00:00 ERROR no bank\n")
    done = collect("--file", "*.log", "--once", "--format", "raw.*=ecs", "--time-zone", "Europe/Berlin")
    assert (done.returncode, done.stderr) == (0, "")
    with closing(SqliteLogStore("var/logs.sqlite")) as store:
        found = {(record.message, record.level): record.timestamp for record in store.search(ALWAYS)}
    assert set(found) == {("no bank", "error"), ("2026-07-01 12:00:00 ERROR no bank", "info")}
    assert found["no bank", "error"].isoformat() == "2026-07-01T10:00:00+00:00"
