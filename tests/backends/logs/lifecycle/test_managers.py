"""Servers with lifecycles of their own.

Index lifecycle management and data-stream lifecycle are parts of Elastic's licensed modules, which the server of the
tests doesn't have. A stand-in before the real server answers for their paths and for the setting
`index.lifecycle.name`, in the shapes of Elastic's API reference, and keeps what it is sent; everything else of
streams, templates and settings is the real server's.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from elasticsearch import Elasticsearch
from sereno_backends.logs import ElasticsearchLogStore, LogRecord, LogStoreRefused
from sereno_backends.logs.lifecycle import Lifecycle, LifecycleRun, Manager, Retention, Retentions
from sereno_backends.logs.lifecycle.managers import PolicyTrouble, policy_trouble, without_retention
from sereno_backends.logs.lifecycle.streams import read_streams
from support.elasticsearch import ElasticsearchServer, fresh_namespace, marked
from support.log_records import NOON
from support.proxy import Asked, Proxy, Refusal

pytestmark = marked
DAY = timedelta(days=1)
WEEK = Retentions(Retention(7 * DAY, rollover_bytes=1024**3))


class Licensed:
    """The licensed parts of a server, as far as lifecycles need them, before the real server at `url`."""

    def __init__(self, url: str, *, has_policies: bool) -> None:
        self.has_policies = has_policies
        self.mode = "RUNNING"
        self.stuck: dict[str, dict[str, Any]] = {}
        self.policies: dict[str, dict[str, Any]] = {}
        self.retentions: dict[str, dict[str, Any]] = {}
        self.template_policy: str | None = None
        self.index_policies: dict[str, str] = {}
        self._url = url

    def answer(self, asked: Asked) -> Refusal | None:
        """The answer to a request of these parts; None for all others."""
        path = unquote(asked.path.partition("?")[0])
        if path.startswith("/_ilm/"):
            return self._policy(asked, path) if self.has_policies else Refusal(400)
        if path.startswith("/_data_stream/") and path.endswith("/_lifecycle"):
            return self._retention(asked, path.split("/")[2])
        if path.endswith("/_ilm/explain"):
            return _json({"indices": self.stuck})
        if path.startswith("/_index_template/"):
            return self._template(asked)
        if path.endswith("/_settings"):
            return self._settings(asked, path)
        return None

    def _policy(self, asked: Asked, path: str) -> Refusal:
        if path == "/_ilm/status":
            return _json({"operation_mode": self.mode})
        name = path.rsplit("/", 1)[1]
        if asked.method == "PUT":
            self.policies[name] = json.loads(asked.body)
            return _json({"acknowledged": True})
        if name not in self.policies:
            return Refusal(404)
        return _json({name: {"version": 1, "modified_date": "2026-01-01T00:00:00Z", **self.policies[name]}})

    def _retention(self, asked: Asked, name: str) -> Refusal:
        if asked.method == "PUT":
            self.retentions[name] = {"enabled": True, **json.loads(asked.body)}
            return _json({"acknowledged": True})
        return _json(
            {"data_streams": [{"name": stream, "lifecycle": keep} for stream, keep in self.retentions.items()]}
        )

    def _template(self, asked: Asked) -> Refusal:
        """The real server takes everything but the policy's name, which it doesn't know."""
        if asked.method == "PUT":
            content = json.loads(asked.body)
            self.template_policy = content["template"]["settings"]["index"].pop("lifecycle", {}).get("name")
            answer = httpx.put(f"{self._url}{asked.path}", json=content, trust_env=False)
            return Refusal(answer.status_code, answer.content)
        content = httpx.get(f"{self._url}{asked.path}", trust_env=False).json()
        if self.template_policy:
            index = content["index_templates"][0]["index_template"]["template"]["settings"]["index"]
            index["lifecycle"] = {"name": self.template_policy}
        return _json(content)

    def _settings(self, asked: Asked, path: str) -> Refusal:
        url = f"{self._url}{asked.path if asked.method == 'GET' else f'{path}?flat_settings=true'}"
        content = httpx.get(url, trust_env=False).json()
        if asked.method == "PUT":
            assert list(json.loads(asked.body)) == ["index.lifecycle.name"]
            self.index_policies |= dict.fromkeys(content, json.loads(asked.body)["index.lifecycle.name"])
            return _json({"acknowledged": True})
        for index, each in content.items():
            name = self.index_policies.get(index, self.template_policy if self.index_policies else None)
            each["settings"] |= {"index.lifecycle.name": name} if name else {}
        return _json(content)


def _json(content: object) -> Refusal:
    return Refusal(200, json.dumps(content).encode())


@pytest.fixture
def written(proxy: Proxy) -> Iterator[tuple[Elasticsearch, str]]:
    """A client, and the namespace of a stream `logs-app-…` that the log store made."""
    namespace = fresh_namespace()
    store = ElasticsearchLogStore(proxy.url, namespace)
    store.write([LogRecord("1", NOON, "checkout", "info", "hello")])
    store.close()
    with Elasticsearch(proxy.url) as client:
        yield client, namespace


def licensed_before(server: ElasticsearchServer, proxy: Proxy, *, has_policies: bool = True) -> Licensed:
    """The stand-in, at work in the proxy."""
    licensed = Licensed(server.url, has_policies=has_policies)
    proxy.refuse = licensed.answer
    return licensed


def lifecycle(client: Elasticsearch, namespace: str, retention: Retention = WEEK.default) -> Lifecycle:
    """The lifecycle of a namespace."""
    return Lifecycle(client, "test", Retentions(retention, namespace=namespace), lambda: datetime.now(UTC))


def test_a_policy_is_installed_and_followed_by_indices_of_today_and_to_come(
    elasticsearch: ElasticsearchServer, proxy: Proxy, written: tuple[Elasticsearch, str]
) -> None:
    """The policy holds rollover and retention; stream and template name it; the template is otherwise as it was."""
    client, namespace = written
    stream = f"logs-app-{namespace}"
    licensed = licensed_before(elasticsearch, proxy)
    (before,) = client.indices.get_index_template(name=f"sereno-{stream}")["index_templates"]
    plan = lifecycle(client, namespace).plan()
    assert plan.manager is Manager.INDEX_LIFECYCLE
    assert licensed.policies == {}, "a look changes nothing"

    run = lifecycle(client, namespace).run()
    assert (run.done, run.failures) == (plan.actions, ())
    assert licensed.policies[f"sereno-{stream}"] == {
        "policy": {
            "_meta": {"description": "Logs written by Sereno (sereno logs lifecycle)"},
            "phases": {
                "hot": {
                    "min_age": "0ms",
                    "actions": {"rollover": {"max_age": "86400s", "max_primary_shard_size": "1073741824b"}},
                },
                "delete": {"min_age": "604800s", "actions": {"delete": {}}},
            },
        }
    }
    client.indices.rollover(alias=stream)
    settings = client.indices.get_settings(index=stream, flat_settings=True)
    assert [each["settings"]["index.lifecycle.name"] for each in settings.values()] == [f"sereno-{stream}"] * 2
    (after,) = client.indices.get_index_template(name=f"sereno-{stream}")["index_templates"]
    assert after["index_template"]["template"]["settings"]["index"].pop("lifecycle") == {"name": f"sereno-{stream}"}
    assert after == before
    assert lifecycle(client, namespace).run() == LifecycleRun(), "nothing is left to do"


def test_a_new_retention_changes_the_policy_and_a_foreign_policy_is_never_changed(
    elasticsearch: ElasticsearchServer, proxy: Proxy, written: tuple[Elasticsearch, str]
) -> None:
    """Another number in the file is another policy; one that an administrator wrote stays as it is."""
    client, namespace = written
    name = f"sereno-logs-app-{namespace}"
    licensed = licensed_before(elasticsearch, proxy)
    lifecycle(client, namespace).run()
    lifecycle(client, namespace, Retention(30 * DAY)).run()
    assert '"min_age": "2592000s"' in json.dumps(licensed.policies[name])
    own: dict[str, Any] = {"policy": {"phases": {"hot": {"actions": {}}}}}
    licensed.policies[name] = own
    assert lifecycle(client, namespace).run() == LifecycleRun()
    assert licensed.policies[name] is own


def test_a_server_with_stream_lifecycles_only_gets_the_retention(
    elasticsearch: ElasticsearchServer, proxy: Proxy, written: tuple[Elasticsearch, str]
) -> None:
    """Without policies (serverless) the stream's own lifecycle gets the days, once."""
    client, namespace = written
    licensed = licensed_before(elasticsearch, proxy, has_policies=False)
    assert lifecycle(client, namespace).plan().manager is Manager.STREAM_LIFECYCLE
    assert len(lifecycle(client, namespace).run().done) == 1
    assert licensed.retentions == {f"logs-app-{namespace}": {"enabled": True, "data_retention": "604800s"}}
    assert lifecycle(client, namespace).run() == LifecycleRun()


def test_who_may_not_ask_is_told_which_privilege_is_missing(proxy: Proxy, written: tuple[Elasticsearch, str]) -> None:
    """A 403 is no answer to whether the server has lifecycles: nothing is planned."""
    client, namespace = written
    proxy.refuse = lambda asked: Refusal(403) if asked.path.startswith("/_ilm") else None
    with pytest.raises(LogStoreRefused, match="read_ilm"):
        lifecycle(client, namespace).plan()


def test_a_stream_with_an_administrators_policy_is_left_to_it(
    elasticsearch: ElasticsearchServer, proxy: Proxy, written: tuple[Elasticsearch, str]
) -> None:
    """A policy of another name stays: the stream is named with it, and nothing is changed."""
    client, namespace = written
    licensed = licensed_before(elasticsearch, proxy)
    client.indices.put_settings(index=f"logs-app-{namespace}", settings={"index.lifecycle.name": "nightly"})
    plan = lifecycle(client, namespace).plan()
    assert [each.reason for each in plan.left_alone] == ["the policy nightly looks after it"]
    assert lifecycle(client, namespace).run() == LifecycleRun()
    assert licensed.policies == {}


def test_policies_that_do_nothing_are_seen(
    elasticsearch: ElasticsearchServer, proxy: Proxy, written: tuple[Elasticsearch, str]
) -> None:
    """Management that somebody stopped, and indices that are stuck, each with the server's reason."""
    client, _ = written
    licensed = licensed_before(elasticsearch, proxy)
    assert policy_trouble(client) == PolicyTrouble(is_stopped=False, failed=())
    licensed.mode = "STOPPED"
    licensed.stuck = {"i-1": {"managed": True, "step": "ERROR", "step_info": {"type": "x", "reason": "no space"}}}
    assert policy_trouble(client) == PolicyTrouble(is_stopped=True, failed=(("i-1", "no space"),))


def test_who_deletes_from_a_stream_is_asked_of_the_server(
    elasticsearch: ElasticsearchServer, proxy: Proxy, written: tuple[Elasticsearch, str]
) -> None:
    """A stream without policy and without retention has nobody; with the one or the other it has somebody."""
    client, namespace = written
    stream = f"logs-app-{namespace}"
    streams = read_streams(client, namespace)
    assert without_retention(client, streams, Manager.SERENO) == (stream,)
    licensed = licensed_before(elasticsearch, proxy, has_policies=False)
    assert without_retention(client, streams, Manager.STREAM_LIFECYCLE) == (stream,)
    licensed.retentions[stream] = {"enabled": True, "data_retention": "3d"}
    assert without_retention(client, streams, Manager.STREAM_LIFECYCLE) == ()
    with_policies = licensed_before(elasticsearch, proxy)
    client.indices.put_settings(index=stream, settings={"index.lifecycle.name": "nightly"})
    assert with_policies.index_policies
    assert without_retention(client, read_streams(client, namespace), Manager.INDEX_LIFECYCLE) == ()
