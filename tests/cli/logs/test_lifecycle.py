"""`sereno logs lifecycle` as a user calls it."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch
from sereno_backends.logs import ElasticsearchLogStore, LogRecord, SqliteLogStore
from sereno_cli.main import run
from support.collecting import ALWAYS
from support.elasticsearch import ElasticsearchServer
from support.ports import free_port

WEEK = "version: sereno/v1\ndefault: {keep: 7d, rollover_age: 1h}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a retention of a week; the developer's own Elasticsearch is not meant."""
    monkeypatch.chdir(tmp_path)
    for name in ("URL", "API_KEY_FILE", "CA_FILE"):
        monkeypatch.delenv(f"SERENO_ELASTICSEARCH_{name}", raising=False)
    (tmp_path / "logs.retention.yaml").write_text(WEEK)
    return tmp_path


@pytest.fixture
def documents(folder: Path) -> Path:
    """A store with a document of each of the last twenty days."""
    path = folder / "logs.sqlite"
    now = datetime.now(UTC) - timedelta(hours=1)
    with closing(SqliteLogStore(path)) as store:
        store.write(
            [LogRecord(str(day), now - timedelta(days=day), "checkout", "info", f"day {day}") for day in range(20)]
        )
    return path


def count(path: Path) -> int:
    """How many documents the store has."""
    with closing(SqliteLogStore(path)) as store:
        return store.count(ALWAYS)


def test_sqlite_is_shown_first_and_changed_with_apply(documents: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --apply the documents that are over are counted and stay; with it they go; then nothing is left to do."""
    assert run(["logs", "lifecycle", "--log-store", str(documents)]) == 0
    first, todo, last = capsys.readouterr().out.splitlines()
    assert first == f"SQLite {documents}: kept 7d"
    assert todo.startswith("to do: delete 13 documents of app, from before ")
    assert last == "nothing was changed; --apply does it"
    assert count(documents) == 20
    assert run(["logs", "lifecycle", "--log-store", str(documents), "--apply", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["applied"], answer["deleted"]["documents"]) == (True, 13)
    assert count(documents) == 7
    assert run(["logs", "lifecycle", "--log-store", str(documents)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "nothing has to be done now"


@pytest.mark.parametrize("options", [[], ["--apply"]])
def test_without_a_file_nothing_is_deleted(
    documents: Path, folder: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """No retention file: exit code 2, the documents stay, and a file to begin with is printed."""
    (folder / "logs.retention.yaml").unlink()
    assert run(["logs", "lifecycle", "--log-store", str(documents), *options]) == 2
    assert "version: sereno/v1\ndefault: {keep: 30d}\n" in capsys.readouterr().err
    assert count(documents) == 20


def test_a_mistake_in_the_file_stops_everything(
    documents: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistake in the retention of one dataset: exit code 2, its place is told, and nothing of any is deleted."""
    (folder / "logs.retention.yaml").write_text(f"{WEEK}datasets: {{audit: {{keep: 30}}}}\n")
    assert run(["logs", "lifecycle", "--log-store", str(documents), "--apply"]) == 2
    assert "logs.retention.yaml:3:26: error[SLO014]" in capsys.readouterr().err
    assert count(documents) == 20


def test_no_store(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that isn't there and a server that doesn't answer: exit code 3, and no file is made."""
    assert run(["logs", "lifecycle", "--apply"]) == 3
    assert not (folder / "var").exists()
    monkeypatch.setenv("SERENO_ELASTICSEARCH_URL", f"http://127.0.0.1:{free_port()}")
    assert run(["logs", "lifecycle"]) == 3
    assert "can't be reached" in capsys.readouterr().err


@pytest.mark.elasticsearch
@pytest.mark.xdist_group("elasticsearch")
def test_elasticsearch_by_its_streams(
    elasticsearch: ElasticsearchServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The streams are shown with their retention and who deletes, other people's are named, and --apply rolls over."""
    monkeypatch.setenv("SERENO_ELASTICSEARCH_URL", elasticsearch.url)
    with closing(ElasticsearchLogStore(elasticsearch.url)) as store:
        store.write([LogRecord("1", datetime.now(UTC), "checkout", "info", "hello", "lifecycle_cli")])
    with Elasticsearch(elasticsearch.url) as client:
        client.indices.put_index_template(
            name="theirs", index_patterns=["logs-theirs_cli-default"], data_stream={}, priority=600
        )
        client.index(index="logs-theirs_cli-default", op_type="create", document={"@timestamp": "2026-01-01"})
    Path("logs.retention.yaml").write_text(
        "version: sereno/v1\ndefault: {keep: 7d, rollover_size: 1mb}\ndatasets: {lifecycle_clo: {keep: 1d}}\n"
    )
    assert run(["logs", "lifecycle"]) == 0
    shown = capsys.readouterr().out
    assert "Sereno deletes (hourly by a collector with --retention, or by --apply)" in shown
    assert "no stream of Sereno's yet: lifecycle_clo, kept 1d when it comes" in shown, "a slip of the pen is seen"
    assert "left alone: logs-theirs_cli-default: its index template theirs isn't Sereno's" in shown
    (line,) = (each for each in shown.splitlines() if each.startswith("logs-lifecycle_cli-default"))
    assert line.split()[1:4] == ["7d", "1d", "1"]
    assert run(["logs", "lifecycle", "--apply", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["failures"] == []


@pytest.mark.elasticsearch
@pytest.mark.xdist_group("elasticsearch")
@pytest.mark.parametrize("command", ["lifecycle", "doctor"])
def test_one_of_two_servers_is_down(
    elasticsearch: ElasticsearchServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
) -> None:
    """With two addresses the one that answers is enough: whoever looks does so because a server is down."""
    monkeypatch.setenv("SERENO_ELASTICSEARCH_URL", f"http://127.0.0.1:{free_port()},{elasticsearch.url}")
    run(["logs", command])
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.startswith("Elasticsearch http://127.0.0.1:")
