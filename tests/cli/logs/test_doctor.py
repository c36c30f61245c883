"""`sereno logs doctor` as a user calls it."""

import json
import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sereno_backends.logs import ElasticsearchLogStore, LogRecord, SqliteLogStore
from sereno_cli.main import run
from support.collecting import ecs_line
from support.elasticsearch import ElasticsearchServer, fresh_namespace, install_picky_template
from support.ports import free_port
from support.proxy import Refusal, proxy_before


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder; the developer's own Elasticsearch is not meant."""
    monkeypatch.chdir(tmp_path)
    for name in ("URL", "API_KEY_FILE", "CA_FILE"):
        monkeypatch.delenv(f"SERENO_ELASTICSEARCH_{name}", raising=False)
    return tmp_path


@pytest.fixture
def documents(folder: Path) -> Path:
    """A store with a document of each of the last twenty days."""
    path = folder / "var/logs.sqlite"
    path.parent.mkdir()
    now = datetime.now(UTC) - timedelta(hours=1)
    with closing(SqliteLogStore(path)) as store:
        store.write([LogRecord(str(day), now - timedelta(days=day), "mail", "info", "hello") for day in range(20)])
    return path


@pytest.mark.usefixtures("documents")
def test_the_worst_comes_first_with_its_cure(capsys: pytest.CaptureFixture[str]) -> None:
    """A store that nobody deletes from needs somebody: exit code 1, the first line says how much, the cure is below."""
    assert run(["logs", "doctor"]) == 1
    first, second, third, *rest = capsys.readouterr().out.splitlines()
    assert first == "SQLite var/logs.sqlite: 1 thing to do"
    assert second.startswith("needs you retention: nobody deletes from this store")
    assert third.startswith("          → write logs.retention.yaml")
    assert [line.split()[0] for line in rest] == ["note", "well", "well", "well"]


def test_a_healthy_store_exits_with_0(folder: Path, documents: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a retention that is done, nothing needs anybody; scripts get disks and findings; nothing was changed."""
    (folder / "logs.retention.yaml").write_text("version: sereno/v1\ndefault: {keep: 30d}\n")
    before = documents.read_bytes()
    assert run(["logs", "doctor", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["healthy"] is True
    assert answer["disks"][0]["growth"]["bytes_per_day"] > 0
    assert not any(each["needs_somebody"] for each in answer["findings"])
    assert documents.read_bytes() == before


@pytest.mark.usefixtures("documents")
def test_a_retention_that_nobody_does_is_found(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Documents that should have been deleted days ago are counted, and `--apply` mends it."""
    (folder / "logs.retention.yaml").write_text("version: sereno/v1\ndefault: {keep: 7d}\n")
    assert run(["logs", "doctor"]) == 1
    assert "13 documents should have been deleted" in capsys.readouterr().out
    assert run(["logs", "lifecycle", "--apply"]) == 0
    assert run(["logs", "doctor"]) == 0


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ([], 3, "no log store at var/logs.sqlite"),
        (["--retention", "nowhere.yaml"], 2, "nowhere.yaml:1:1: error[SLO040]"),
        (["--watch", "1"], 2, "30<=x<=3600"),
    ],
)
def test_mistakes_have_a_cure(options: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """No store: 3; a retention file that isn't there and a watch that is too short: 2."""
    assert run(["logs", "doctor", *options]) == code
    assert said in capsys.readouterr().err


def test_no_server(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A server that doesn't answer: exit code 3 and its address."""
    url = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("SERENO_ELASTICSEARCH_URL", url)
    assert run(["logs", "doctor"]) == 3
    assert f"{url} can't be reached" in capsys.readouterr().err


@pytest.mark.elasticsearch
@pytest.mark.xdist_group("elasticsearch")
def test_elasticsearch_is_examined(
    elasticsearch: ElasticsearchServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Disk, shards, templates and retention of a real server are told; a stream without retention needs somebody."""
    monkeypatch.setenv("SERENO_ELASTICSEARCH_URL", elasticsearch.url)
    with closing(ElasticsearchLogStore(elasticsearch.url)) as store:
        store.write([LogRecord("1", datetime.now(UTC), "checkout", "info", "hello", "doctor_cli")])
    assert run(["logs", "doctor", "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert {"read-only", "disk", "templates", "shards", "retention", "rejections"} <= {
        each["subject"] for each in findings
    }
    (retention,) = (each for each in findings if each["subject"] == "retention")
    assert retention["message"].startswith("nobody deletes from ")
    (disk,) = (each for each in findings if each["subject"] == "disk")
    assert disk["message"].startswith("node sereno: no watermark is reached within a year; ")


@pytest.mark.elasticsearch
@pytest.mark.xdist_group("elasticsearch")
def test_dead_letters_of_a_server_are_counted(
    elasticsearch: ElasticsearchServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the server refused is counted in its stream, with whose it mostly is and why, and how it is sent again."""
    monkeypatch.setenv("SERENO_ELASTICSEARCH_URL", elasticsearch.url)
    service = fresh_namespace()
    install_picky_template(elasticsearch.url, f"logs-{service}-default")
    names = {"service.name": service, "event.dataset": service}
    lines = [ecs_line(f"line {number}", **names, **{"user.id": "ada"}) for number in range(100)]
    Path("app.log").write_text("".join(f"{line}\n" for line in lines))
    assert run(["collect", "logs", "--file", "app.log", "--once"]) == 0
    httpx.post(f"{elasticsearch.url}/logs-sereno.dead_letter-default/_refresh", trust_env=False).raise_for_status()
    capsys.readouterr()
    assert run(["logs", "doctor", "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    (letters,) = (each for each in findings if each["subject"] == "dead letters")
    counts, why = letters["message"].split("; mostly ", 1)
    found = re.fullmatch(r"(\d+) of the last day, (\d+) in all in logs-sereno.dead_letter-default", counts)
    assert found is not None
    assert 100 <= int(found[1]) <= int(found[2])
    assert why.startswith(f"of {service}, such as: document_parsing_exception: ")
    assert "object mapping for [user.id]" in why
    assert "sereno logs redeliver" in letters["cure"]


@pytest.mark.elasticsearch
@pytest.mark.xdist_group("elasticsearch")
def test_a_doctor_who_may_not_read_letters_tells_the_rest(
    elasticsearch: ElasticsearchServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Credentials without `read` keep nobody from the other findings; that the letters were not counted is said."""
    with proxy_before(elasticsearch.url) as proxy:
        proxy.refuse = lambda asked: Refusal(403) if "sereno.dead_letter-default/_search" in asked.path else None
        monkeypatch.setenv("SERENO_ELASTICSEARCH_URL", proxy.url)
        assert run(["logs", "doctor", "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert "shards" in {each["subject"] for each in findings}
    (letters,) = (each for each in findings if each["subject"] == "dead letters")
    assert letters["message"].startswith("logs-sereno.dead_letter-default can't be counted: ")
    assert "403" in letters["message"]


@pytest.mark.elasticsearch
@pytest.mark.xdist_group("elasticsearch")
def test_the_cure_of_a_read_only_cluster_is_taken_by_the_server(
    elasticsearch: ElasticsearchServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A read-only cluster refuses almost every request; the one that the doctor names it takes, and is open again."""
    monkeypatch.setenv("SERENO_ELASTICSEARCH_URL", elasticsearch.url)
    closed = {"persistent": {"cluster.blocks.read_only": True}}
    address = f"{elasticsearch.url}/_cluster/settings"
    httpx.put(address, json=closed, trust_env=False).raise_for_status()
    try:
        assert run(["logs", "doctor", "--json"]) == 1
        findings = json.loads(capsys.readouterr().out)["findings"]
        (finding,) = (each for each in findings if each["subject"] == "read-only")
        assert finding["message"].startswith("the whole cluster: ")
        _, request = finding["cure"].split("PUT _cluster/settings ")
        httpx.put(address, json=json.loads(request), trust_env=False).raise_for_status()
        run(["logs", "doctor", "--json"])
        findings = json.loads(capsys.readouterr().out)["findings"]
        assert [each["gravity"] for each in findings if each["subject"] == "read-only"] == ["healthy"]
    finally:
        httpx.put(address, json={"persistent": {"cluster.blocks.read_only": None}}, trust_env=False)


@pytest.mark.elasticsearch
@pytest.mark.xdist_group("elasticsearch")
def test_a_namespace_that_the_retention_file_does_not_govern_is_told(
    elasticsearch: ElasticsearchServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sereno's streams of other namespaces, which nobody deletes from, need somebody; they aren't called foreign."""
    monkeypatch.setenv("SERENO_ELASTICSEARCH_URL", elasticsearch.url)
    with closing(ElasticsearchLogStore(elasticsearch.url, fresh_namespace())) as store:
        store.write([LogRecord("1", datetime.now(UTC), "checkout", "info", "hello", "a")])
    Path("logs.retention.yaml").write_text("version: sereno/v1\ndefault: {keep: 30d}\n")
    assert run(["logs", "doctor", "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    (told,) = (each for each in findings if "governs the namespace default only" in each["message"])
    assert told["needs_somebody"] is True
    assert not any("aren't Sereno's" in each["message"] and "logs-a-" in each["message"] for each in findings)
