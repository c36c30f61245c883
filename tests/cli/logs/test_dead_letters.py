"""`sereno logs search --dead-letters` and `sereno logs redeliver`, as a user calls them."""

from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sereno_backends.logs import ElasticsearchLogStore
from sereno_backends.logs.elasticsearch_template import MAPPINGS
from sereno_cli.main import run
from support.closable_door import ClosableDoor
from support.collecting import ALWAYS, ecs_line
from support.elasticsearch import ElasticsearchServer, fresh_namespace, install_picky_template, marked
from support.ports import free_port


class Site:
    """A server that refuses two of three lines of one service, whose dataset has the service's name."""

    def __init__(self, server: ElasticsearchServer) -> None:
        self.url = server.url
        self.service = fresh_namespace()
        self.stream = f"logs-{self.service}-default"
        install_picky_template(server.url, self.stream)

    def collect(self) -> None:
        """Collect the lines once."""
        names = {"service.name": self.service, "service.node.name": self.service, "event.dataset": self.service}
        poison = {1: {}, 2: {"user.id": "ada"}, 3: {"user.id": "bob"}}
        lines = [ecs_line(f"line {each}", **names, **{"event.sequence": each}, **poison[each]) for each in (1, 2, 3)]
        Path("app.log").write_text("".join(f"{line}\n" for line in lines))
        assert run(["collect", "logs", "--file", "app.log", "--once"]) == 0

    def mend(self) -> None:
        """Let the template take what it refused, and the stream begin an index by it."""
        template = {
            "index_patterns": [self.stream],
            "data_stream": {},
            "priority": 500,
            "version": 1_001,
            "template": {"mappings": MAPPINGS},
        }
        self.ask("PUT", f"_index_template/sereno-{self.stream}", template)
        self.roll_over()

    def roll_over(self) -> None:
        """The stream begins a new index."""
        self.ask("POST", f"{self.stream}/_rollover", None)

    def letters(self) -> list[Any]:
        """The hits of this service's letters."""
        self.ask("POST", "logs-sereno.dead_letter-default/_refresh", None)
        query = {"query": {"term": {"service.name": self.service}}}
        return list(self.ask("POST", "logs-sereno.dead_letter-default/_search", query)["hits"]["hits"])

    def ask(self, method: str, path: str, body: object) -> Any:
        """The server's answer."""
        return httpx.request(method, f"{self.url}/{path}", json=body, trust_env=False).raise_for_status().json()

    def stored(self) -> list[str]:
        """The messages of the service in the store, sorted."""
        with closing(ElasticsearchLogStore(self.url)) as store:
            return sorted(record.message for record in store.search(ALWAYS) if record.service == self.service)


@pytest.fixture
def site(elasticsearch: ElasticsearchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Lines that were collected, two of them as dead letters; the test runs in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SERENO_ELASTICSEARCH_URL", elasticsearch.url)
    made = Site(elasticsearch)
    made.collect()
    return made


class TestOnElasticsearch:
    """With the server."""

    pytestmark = marked

    def test_letters_are_found_with_reason_and_origin(self, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
        """Each letter is shown with its line's message, the server's reason, file, offset and stream."""
        capsys.readouterr()
        assert run(["logs", "search", "line 2", "--dead-letters", "--service", site.service]) == 0
        first, reason, origin = capsys.readouterr().out.splitlines()
        assert first.endswith(f"info     {site.service}: line 2")
        assert "object mapping for [user.id]" in reason
        assert f"{Path('app.log').absolute()} at byte " in origin
        assert origin.endswith(f" to {site.stream}")
        assert run(["logs", "search", "--dead-letters", "--service", site.service, "--json"]) == 0
        documents = [orjson.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert sorted(each["event.sequence"] for each in documents) == [2, 3]
        assert all(each["sereno"]["dead_letter"]["line"] for each in documents)

    def test_mended_letters_are_delivered_once(self, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
        """What is refused again stays; after mending all are stored under their ids, and the letters are gone."""
        reconcile = ["reconcile", "--since", "2026-11-22T12:00:00Z", "--service", site.service, "--json"]
        capsys.readouterr()
        assert run(["logs", "redeliver", "--service", site.service]) == 1
        printed = capsys.readouterr().out
        assert printed.startswith("delivered 0, refused again 2\n")
        assert printed.count("object mapping for [user.id]") == 1, (
            "of each kind one reason, though each names its document"
        )
        assert len(site.letters()) == 2
        assert run(reconcile) == 0
        assert _counts(capsys) == (3, 1, 2)

        site.mend()
        assert run(["logs", "redeliver", "--service", site.service]) == 0
        assert capsys.readouterr().out == "delivered 2, refused again 0\n"
        assert site.stored() == ["line 1", "line 2", "line 3"]
        assert site.letters() == []
        assert run(reconcile) == 0
        assert _counts(capsys) == (3, 3, 0)
        assert run(["logs", "redeliver", "--service", site.service]) == 0
        assert capsys.readouterr().out == "delivered 0, refused again 0\n"

    def test_a_letter_that_outlived_its_delivery_doubles_nothing(
        self, site: Site, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """After a kill between storing and deleting, and a rollover, the next run finds the document stored."""
        letters = site.letters()
        site.mend()
        assert run(["logs", "redeliver", "--service", site.service]) == 0
        for hit in letters:
            site.ask("PUT", f"logs-sereno.dead_letter-default/_create/{hit['_id']}", hit["_source"])
        site.roll_over()
        capsys.readouterr()
        assert run(["logs", "redeliver", "--service", site.service]) == 0
        assert capsys.readouterr().out == "delivered 2, refused again 0\n"
        assert site.stored() == ["line 1", "line 2", "line 3"]
        assert site.letters() == []

    def test_a_server_that_is_gone_is_exit_code_3(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Without an answer nothing is delivered, and this is said."""
        monkeypatch.setenv("SERENO_ELASTICSEARCH_URL", f"http://127.0.0.1:{free_port()}")
        assert run(["logs", "redeliver"]) == 3
        assert "can't be reached" in capsys.readouterr().err

    def test_a_server_that_goes_away_meanwhile_is_exit_code_3(
        self,
        site: Site,
        elasticsearch_door: ClosableDoor,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """It is told as what it is, and that running it again is right."""
        stored_ids = ElasticsearchLogStore.stored_ids

        def asked_too_late(store: ElasticsearchLogStore, stream: str, ids: list[str]) -> set[str]:
            elasticsearch_door.close()
            return stored_ids(store, stream, ids)

        monkeypatch.setenv("SERENO_ELASTICSEARCH_URL", elasticsearch_door.url)
        monkeypatch.setattr(ElasticsearchLogStore, "stored_ids", asked_too_late)
        assert run(["logs", "redeliver", "--service", site.service]) == 3
        assert "run it again" in capsys.readouterr().err


def _counts(capsys: pytest.CaptureFixture[str]) -> tuple[int, int, int]:
    """Emitted, indexed and dead-lettered of the one hour."""
    (hour,) = orjson.loads(capsys.readouterr().out)["hours"]
    return hour["emitted"], hour["indexed"], hour["dead_lettered"]


def test_without_a_server_the_file_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The SQLite store has no letters: both commands say where they are, with exit code 2; so do wrong arguments."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SERENO_ELASTICSEARCH_URL", raising=False)
    assert run(["logs", "search", "--dead-letters"]) == 2
    assert run(["logs", "redeliver"]) == 2
    assert capsys.readouterr().err.count("var/collector.dead-letters.jsonl") == 2
    assert run(["logs", "search", "--dead-letters", "--top"]) == 2
    assert "leave out --context, --top" in capsys.readouterr().err
