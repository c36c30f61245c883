"""Panels of logs, asked of a real Elasticsearch that holds what the log collector stores."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch
from sereno_backends.grafana import Dashboard, read_dashboard
from sereno_backends.logs import ElasticsearchLogStore, LogRecord
from sereno_backends.logs.elasticsearch_lucene import ElasticsearchDocuments
from sereno_backends.prometheus import PrometheusClient
from sereno_slo.dashboards_check import NO_REASONS, Looked, Servers, look
from sereno_slo.dashboards_check.asking import asks_documents
from support.elasticsearch import ElasticsearchServer, fresh_namespace, marked

pytestmark = marked

ROOT = Path(__file__).resolve().parents[3]
LOGS = {"type": "elasticsearch", "uid": "${logs}"}
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def panel(title: str, query: str, **more: str) -> dict[str, object]:
    """A panel of log lines."""
    return {"type": "logs", "title": title, "datasource": LOGS, "targets": [{"refId": "A", "query": query}], **more}


OWN = {
    "uid": "own",
    "title": "Own",
    "time": {"from": "now-6h", "to": "now"},
    "templating": {
        "list": [
            {"name": "logs", "type": "datasource", "query": "elasticsearch"},
            {"name": "service", "type": "constant", "query": "checkout"},
            {"name": "lines", "type": "custom", "query": "Errors : log.level:(error OR critical), All : *"},
        ]
    },
    "panels": [
        panel("Errors", 'service.name:"$service" AND ${lines:raw}'),
        panel("Everything", ""),
        panel("Last hour", 'service.name:"$service"', timeFrom="1h"),
        panel("Nobody", 'service.name:"nobody"'),
        panel("Broken", "service.name:("),
    ],
}


def of_logs(dashboard: Dashboard) -> Dashboard:
    """Its panels of logs alone, and the variables for which nobody has to be asked."""
    return replace(
        dashboard,
        panels=tuple(each for each in dashboard.panels if any(asks_documents(one, each) for one in each.targets)),
        variables=tuple(each for each in dashboard.variables if each.kind != "query"),
    )


COMPILED = [
    board
    for path in sorted((ROOT / "dashboards/grafana/generated").glob("*.json"))
    if (board := of_logs(read_dashboard(path.read_bytes()))).panels
]


@pytest.fixture
def documents(elasticsearch: ElasticsearchServer) -> Iterator[ElasticsearchDocuments]:
    """An error of each service two hours ago, in data streams of this test alone."""
    services = {variable.query for board in COMPILED for variable in board.variables if variable.name == "service"}
    namespace, two_hours_ago = fresh_namespace(), NOW - timedelta(hours=2)
    with closing(ElasticsearchLogStore(elasticsearch.url, namespace)) as store:
        store.write(
            [
                LogRecord(record_id=name, timestamp=two_hours_ago, message="refused", service=name, level="error")
                for name in sorted(services | {"checkout"})
            ]
        )
    with closing(Elasticsearch(elasticsearch.url)) as client:
        client.indices.refresh(index=f"logs-*-{namespace}")  # as the server itself does every few seconds
    with ElasticsearchDocuments(elasticsearch.url, f"logs-*-{namespace}", {}) as opened:
        yield opened


def looked_at(documents: ElasticsearchDocuments | None, dashboard: Dashboard) -> Looked:
    """What comes of it; no Prometheus is asked."""
    with PrometheusClient("http://127.0.0.1:1") as nobody:
        (looked,) = look(Servers(nobody, documents, NOW), [("own.json", dashboard)], NO_REASONS, chosen={})
    return looked


def test_panels_with_and_without_lines_are_told_apart(documents: ElasticsearchDocuments) -> None:
    """Variables are filled in, the panel's own window counts, and a refused query is no empty one."""
    looked = looked_at(documents, read_dashboard(json.dumps(OWN)))
    assert looked.asked == 5
    assert [(each.panel, bool(each.refusal)) for each in looked.empty] == [
        ("Last hour", False),
        ("Nobody", False),
        ("Broken", True),
    ]


def test_without_a_server_nothing_is_called_empty() -> None:
    """They are counted as not asked."""
    looked = looked_at(None, read_dashboard(json.dumps(OWN)))
    assert (looked.asked, looked.unasked, looked.empty, looked.is_absent) == (0, 5, (), False)


def test_panels_of_compiled_dashboards_show_lines(documents: ElasticsearchDocuments) -> None:
    """Their queries find what services log in ECS."""
    assert COMPILED
    for board in COMPILED:
        looked = looked_at(documents, board)
        assert looked.asked > 0
        assert [str(each) for each in looked.empty] == [], board.title
