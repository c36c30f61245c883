"""`sereno collect logs` with a retention, as a user runs it."""

import os
import re
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sereno_backends.logs import LogRecord, SqliteLogStore
from sereno_cli.main import run
from support.collecting import ALWAYS
from support.elasticsearch import ElasticsearchServer
from support.waiting import wait_for

COLLECT = [sys.executable, "-c", "from sereno_cli.main import main; main()", "collect", "logs", "--metrics-port", "0"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a log; the developer's own Elasticsearch is not meant."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SERENO_ELASTICSEARCH_URL", raising=False)
    (tmp_path / "app.log").write_text("a new line\n")
    return tmp_path


def messages() -> list[str]:
    """What is in the store."""
    with closing(SqliteLogStore("var/logs.sqlite")) as store:
        return [record.message for record in store.search(ALWAYS)]


@pytest.mark.parametrize("options", [[], ["--retention", "other.yaml"]])
def test_a_collector_deletes_what_is_over(folder: Path, options: list[str]) -> None:
    """With the file that lies there or the one that is named: old documents go, new ones come, metrics tell it."""
    (folder / (options[1] if options else "logs.retention.yaml")).write_text(
        "version: sereno/v1\ndefault: {keep: 7d}\n"
    )
    Path("var").mkdir()
    with closing(SqliteLogStore("var/logs.sqlite")) as store:
        store.write([LogRecord("old", datetime.now(UTC) - timedelta(days=8), "checkout", "info", "an old line")])
    command = [*COLLECT, "--file", "app.log", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    try:
        assert process.stdout is not None
        found = re.search(r"metrics on (\S+),", process.stdout.readline())
        assert found is not None
        wait_for(lambda: messages() == ["a new line"], what="the old line is gone, the new one stored")
        shown = httpx.get(found.group(1), trust_env=False).text
        assert 'sereno_collector_housekeeping_failures_total{chore="retention"} 0.0' in shown
        assert f'sereno_collector_store_disk_size_bytes{{disk="{folder / "var"}"}}' in shown
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=10)
    assert f"retention by {options[1] if options else 'logs.retention.yaml'}, every hour" in errors


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "logs.retention.yaml:1:1: error[SLO005]"),
        (["--retention", "nowhere.yaml"], "nowhere.yaml"),
        (["--retention", "logs.retention.yaml", "--once"], "sereno logs lifecycle --apply"),
    ],
)
def test_mistakes_are_told_before_anything_is_made(
    folder: Path, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file with mistakes or none at all, and one beside --once: exit code 2, the cure, and no store."""
    (folder / "logs.retention.yaml").write_text("default: {keep: 7d}\n")
    assert run(["collect", "logs", "--file", "app.log", *options]) == 2
    assert said in capsys.readouterr().err
    assert not (folder / "var/logs.sqlite").exists()


@pytest.mark.elasticsearch
@pytest.mark.xdist_group("elasticsearch")
def test_the_disks_of_a_server_are_seen_without_a_retention_file(elasticsearch: ElasticsearchServer) -> None:
    """A collector into Elasticsearch tells the free space and the watermarks of its nodes, and deletes nothing."""
    environment = {**os.environ, "SERENO_ELASTICSEARCH_URL": elasticsearch.url}
    command = [*COLLECT, "--file", "app.log", "--dataset", "collect_retention"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        found = re.search(r"metrics on (\S+),", process.stdout.readline())
        assert found is not None
        url = found.group(1)
        wait_for(
            lambda: 'store_disk_watermark_bytes{disk="sereno",watermark="low"}' in httpx.get(url, trust_env=False).text,
            what="the node's disk is seen",
        )
        assert 'chore="retention"' not in httpx.get(url, trust_env=False).text
    finally:
        process.terminate()
        process.communicate(timeout=10)
    assert process.returncode == 0
