"""`sereno logs search` beyond one answer: following, links to Kibana, messages that are alike."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
from sereno_backends.logs import ElasticsearchLogStore, LogRecord, LogStore, SqliteLogStore
from sereno_cli.main import run
from support.command_line import SERENO, sereno
from support.elasticsearch import ElasticsearchServer, marked
from support.log_records import NOON

KIBANA = "https://kibana.example.org"
Place = tuple[LogStore, dict[str, str], list[str]]
"""A store, the environment and the arguments that name it."""

WINDOW = ("--window", "2026-11-22T11:00:00Z..2026-11-22T13:00:00Z")


def _record(record_id: str, message: str, *, at: datetime | None = None, level: str = "error") -> LogRecord:
    timestamp = at or datetime.now(UTC)
    return LogRecord(record_id, timestamp, "checkout", level, message, document={"message": message})


@contextmanager
def _following(*arguments: str, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    command = [*SERENO, "logs", "search", "--follow", *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=10)


@pytest.fixture(params=["sqlite", pytest.param("elasticsearch", marks=marked)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A real store, and how to name it to the command."""
    if request.param == "sqlite":
        path = tmp_path / "logs.sqlite"
        return SqliteLogStore(path), {"SERENO_ELASTICSEARCH_URL": ""}, ["--log-store", str(path)]
    server: ElasticsearchServer = request.getfixturevalue("elasticsearch")
    return ElasticsearchLogStore(server.url), {"SERENO_ELASTICSEARCH_URL": server.url}, []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_following_shows_each_line_once_and_ends_well(place: Place, number: signal.Signals, tmp_path: Path) -> None:
    """What is there, then what comes, late lines too; Ctrl-C and SIGTERM end it with 0 and without a word."""
    store, environment, arguments = place
    mark = tmp_path.name.replace("_", "").replace("-", "") + number.name  # one word, and nobody else's
    with closing(store):
        store.write([_record(f"{mark}1", f"{mark} first"), _record(f"{mark}0", f"{mark} fine", level="info")])
        with _following(mark, "--level", "error", *arguments, environment=environment) as process:
            assert process.stdout is not None
            assert process.stdout.readline().endswith(f"error    checkout: {mark} first\n")
            store.write([_record(f"{mark}2", f"{mark} second")])
            assert process.stdout.readline().endswith(f"{mark} second\n")
            late = datetime.now(UTC) - timedelta(seconds=30)
            store.write([_record(f"{mark}3", f"{mark} late", at=late), _record(f"{mark}4", f"{mark} last")])
            assert process.stdout.readline().endswith(f"{mark} late\n")
            assert process.stdout.readline().endswith(f"{mark} last\n")
            process.send_signal(number)
            rest, errors = process.communicate(timeout=20)
    assert (process.returncode, rest, errors) == (0, "", "")


def test_following_waits_for_a_store_that_goes_away(tmp_path: Path) -> None:
    """A store that stops answering is told once and waited for; what came meanwhile is shown."""
    path, aside = tmp_path / "logs.sqlite", tmp_path / "aside.sqlite"
    environment = {"SERENO_ELASTICSEARCH_URL": ""}
    with closing(SqliteLogStore(path)) as store:
        store.write([_record("1", "first")])
    with _following("--json", "--log-store", str(path), environment=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == '{"message":"first"}\n'
        path.rename(aside)
        assert "no log store at" in process.stderr.readline()
        with closing(SqliteLogStore(aside)) as store:
            store.write([_record("2", "second")])
        aside.rename(path)
        assert process.stdout.readline() == '{"message":"second"}\n'
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "sereno logs search: the store answers again\n")


def test_following_a_store_that_never_was_is_refused(tmp_path: Path) -> None:
    """Exit code 3, as without --follow."""
    answer = sereno("logs", "search", "--follow", "--log-store", "none.sqlite", cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (3, "")


def test_a_link_needs_no_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--link prints the address alone and asks no store."""
    monkeypatch.setenv("SERENO_KIBANA_URL", f"{KIBANA}/")
    asked = ["logs", "search", "refused", "--level", "ERROR", *WINDOW, "--log-store", str(tmp_path / "none")]
    assert run([*asked, "--link"]) == 0
    told, _ = capsys.readouterr()
    assert told.startswith(f"{KIBANA}/app/discover#/?_g=(")
    assert told.count("\n") == 1
    assert "time:(from:'2026-11-22T11:00:00.000Z',to:'2026-11-22T13:00:00.000Z')" in told
    asked_there = 'log.level: "error" and (sereno.words: "refused" or message: "refused")'
    assert f"query:'{asked_there} and not event.dataset: \"sereno.dead_letter\"'" in unquote(told)


@pytest.mark.parametrize("place", [pytest.param("elasticsearch", marks=marked)], indirect=True)
def test_what_is_found_in_elasticsearch_is_linked(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where Kibana is known the link stands on stderr below the lines, and the lines are as they were."""
    store, environment, _ = place
    monkeypatch.setenv("SERENO_ELASTICSEARCH_URL", environment["SERENO_ELASTICSEARCH_URL"])
    with closing(store):
        store.write([_record("linked", "zymurgy", at=NOON)])
    assert run(["logs", "search", "zymurgy", *WINDOW]) == 0
    alone = capsys.readouterr()
    monkeypatch.setenv("SERENO_KIBANA_URL", KIBANA)
    assert run(["logs", "search", "zymurgy", *WINDOW]) == 0
    told = capsys.readouterr()
    assert (told.out, alone.err) == (alone.out, "")
    assert told.err.startswith(f"in Kibana: {KIBANA}/app/discover#/?_g=(")


def test_messages_that_are_alike_are_counted_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--top --alike shows kinds of messages with their fingerprints, most frequent first."""
    monkeypatch.delenv("SERENO_ELASTICSEARCH_URL", raising=False)
    path = tmp_path / "logs.sqlite"
    with closing(SqliteLogStore(path)) as store:
        store.write([_record(f"u{number}", f"user {number} unknown", at=NOON) for number in range(3)])
        store.write([_record(f"d{number}", "disk full", at=NOON) for number in range(2)])
    assert run(["logs", "search", "--top", "--alike", *WINDOW, "--log-store", str(path)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.split()[:2] == ["3", "error"]
    assert "user <num> unknown" in first
    assert "3 different messages" in first
    assert second.split()[:2] == ["2", "error"]
    assert "different" not in second


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--link",), "SERENO_KIBANA_URL=https://kibana.example.org"),
        (("--alike",), "add --top"),
        (("--follow", "--top"), "leave out --top"),
        (("--follow", "--around", "1h"), "leave out --top"),
    ],
)
def test_mistakes_are_told_with_a_cure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    """Exit code 2 and what to write."""
    monkeypatch.delenv("SERENO_KIBANA_URL", raising=False)
    assert run(["logs", "search", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_a_wrong_address_of_kibana_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, with what an address looks like."""
    monkeypatch.setenv("SERENO_KIBANA_URL", "kibana:5601")
    assert run(["logs", "search", "--link"]) == 2
    assert "write https://kibana.example.org" in capsys.readouterr().err
