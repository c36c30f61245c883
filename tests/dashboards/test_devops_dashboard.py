"""The handwritten dashboard of webhooks: data in every panel on a real Prometheus, from a real receiver."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sereno_backends.devops import Delivery, Provider
from sereno_backends.devops.sqlite_store import SqliteDevOpsEventStore
from support import grafana
from support.devops import running_receiver, signed, write_configuration
from support.devops_samples import samples
from support.ports import free_port
from support.prometheus import HistorySample, RunningProcess, running_prometheus
from support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = grafana.read((ROOT / "dashboards/grafana/handwritten/devops.json").read_text(encoding="utf-8"))
RULES = (ROOT / "alerting/rules/handwritten/devops.rules.yaml").read_text(encoding="utf-8")
MINUTES = 20
NOW = float(int(time.time()) - 60)


@pytest.fixture(scope="module")
def exposition(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a receiver with a past tells after deliveries of every kind, while Elasticsearch is away."""
    folder = tmp_path_factory.mktemp("receiver")
    store = SqliteDevOpsEventStore(folder / "devops.sqlite")
    store.prepare()
    past = [datetime.now(UTC) - timedelta(hours=15 * number) for number in range(1, 45)]
    store.record([Delivery("github", Provider.GITHUB, f"{at}", f"{at}", "push", at, b"{}", ()) for at in past])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SERENO_ELASTICSEARCH_URL", f"http://127.0.0.1:{free_port()}")  # where nobody listens
        with running_receiver(write_configuration(folder), folder / "devops.sqlite") as server:
            for each in samples():
                name = each.provider.value.replace("_", "-")
                headers = signed(name, each.headers, each.body)
                httpx.post(f"{server.url}/api/v1/devops/{name}", content=each.body, headers=headers, trust_env=False)
            httpx.post(f"{server.url}/api/v1/devops/github", json={}, trust_env=False)

            def served() -> str | None:
                text = httpx.get(f"{server.url}/metrics", trust_env=False).text
                return text if re.search(r"^sereno_devops_forward_failures_total [1-9]", text, re.MULTILINE) else None

            return wait_for(served, what="a failed attempt to forward")


@pytest.fixture(scope="module")
def prometheus(exposition: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProcess]:
    """A Prometheus that has scraped that receiver once a minute, while all counters grew."""
    history = [
        HistorySample(
            sample.name,
            {**sample.labels, "job": "sereno-devops", "instance": "d1"},
            NOW - 60 * (MINUTES - minute),
            sample.value * (minute + 1 if sample.name.endswith("_total") else 1),
        )
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
        for minute in range(MINUTES + 1)
    ]
    with running_prometheus(tmp_path_factory.mktemp("prometheus"), history=history) as server:
        yield server


def asked(server: RunningProcess, expr: str) -> list[float]:
    """The numbers that an instant query answers."""
    parameters = {"query": expr.replace("$__range", "15m"), "time": str(NOW)}
    answer = httpx.get(f"{server.url}/api/v1/query", params=parameters, timeout=10, trust_env=False).json()
    assert answer["status"] == "success", answer
    return [float(series["value"][1]) for series in answer["data"]["result"]]


@pytest.mark.parametrize("query", list(grafana.queries(DASHBOARD)), ids=lambda query: query.panel)
def test_no_panel_is_empty(prometheus: RunningProcess, query: grafana.PanelQuery) -> None:
    """Every query is accepted and answers with numbers from what a real receiver exposes."""
    values = asked(prometheus, query.expr)
    assert values, query.expr
    assert all(abs(value) < float("inf") for value in values)


@pytest.mark.parametrize("source", ["github", "generic"])
def test_a_source_can_be_chosen(prometheus: RunningProcess, source: str) -> None:
    """With one source chosen, the panel of sources shows that one alone."""
    chosen = {query.panel: query.expr for query in grafana.queries(DASHBOARD, source=source)}
    assert len(asked(prometheus, chosen["Deliveries by source"])) == 1


def test_rules_and_runbooks_name_what_the_receiver_tells(exposition: str) -> None:
    """Each metric of the receiver in rules, runbooks and documentation is one that it exposes, with those outcomes."""
    pages = [*(ROOT / "runbooks").glob("SerenoDevOps*.md"), ROOT / "docs/devops.md"]
    texts = [RULES, *(path.read_text(encoding="utf-8") for path in pages)]
    named = {name for text in texts for name in re.findall(r"sereno_devops_\w+", text)}
    exposed = set(re.findall(r"^(sereno_devops_\w+)", exposition, re.MULTILINE))
    assert len(named) >= 8
    assert named - exposed == set()
    outcomes = {one for found in re.findall(r'outcome!?=~?"([\w|]+)"', "\n".join(texts)) for one in found.split("|")}
    assert "stale" in outcomes
    assert outcomes - set(re.findall(r'outcome="(\w+)"', exposition)) == set()
