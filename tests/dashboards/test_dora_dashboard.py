"""The handwritten dashboard of deliveries, and deployments as annotations: data on a real Prometheus."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sereno_exporters.dora.settings import DoraSettings
from sereno_exporters.dora.source import source_of
from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.model import Target
from support import grafana
from support.dora import BEGIN, DAY, at, deployment, incident, push, resolved, store_with
from support.prometheus import HistorySample, RunningProcess, running_prometheus

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "dashboards/grafana/handwritten/dora.json"
DASHBOARD = grafana.read(PATH.read_text(encoding="utf-8"))
SERVICES = ROOT / "dashboards/grafana/generated/transactions-api.json"
NOW = float(int(time.time()) - 60)
MINUTES = 20


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProcess]:
    """A Prometheus that has scraped the exporter once a minute, three days after a week with a bad deployment."""
    folder = tmp_path_factory.mktemp("dora")
    named = {"service": "transactions-api"}
    store_with(
        folder / "devops.sqlite",
        [
            *push("base", 0, before=None),
            deployment("1", 10, "base", envelope=named),
            deployment("2", DAY, "c1", version="v2", shas=("c1",), envelope=named),
            deployment("3", DAY + 9, "base", version="v1", envelope=named),
            deployment("4", DAY + 99, "c1", environment="staging", envelope=named),
            *push("c2 c3", 2 * DAY, before="base"),
            deployment("5", 2 * DAY, "base"),
            deployment("6", 2 * DAY + 30, "c3"),
            incident("I1", 2 * DAY + 34),
            resolved("I1", 2 * DAY + 64),
        ],
    )
    shift = NOW - at(5 * DAY).timestamp()  # as if all of it had happened in the last days
    target = Target("main", DoraSettings(store=folder / "devops.sqlite"), folder)
    (part,) = source_of(target, lambda: BEGIN + timedelta(days=5)).parts
    history = [
        HistorySample(
            sample.name,
            {**sample.labels, "target": "main", "job": "sereno-exporters", "instance": "e1"},
            NOW - 60 * (MINUTES - minute),
            sample.value + (shift if sample.name.endswith("timestamp_seconds") else 0),
        )
        for metric in part.families(part.fetch(Deadline.after(5)))
        for sample in metric.samples
        for minute in range(MINUTES + 1)
    ]
    with running_prometheus(tmp_path_factory.mktemp("prometheus"), history=history) as server:
        yield server


def asked(server: RunningProcess, expr: str) -> list[tuple[dict[str, str], float]]:
    """What an instant query answers."""
    parameters = {"query": expr, "time": str(NOW)}
    answer = httpx.get(f"{server.url}/api/v1/query", params=parameters, timeout=10, trust_env=False).json()
    assert answer["status"] == "success", answer
    return [(series["metric"], float(series["value"][1])) for series in answer["data"]["result"]]


@pytest.mark.parametrize("query", list(grafana.queries(DASHBOARD)), ids=lambda query: query.panel)
def test_no_panel_is_empty(prometheus: RunningProcess, query: grafana.PanelQuery) -> None:
    """Every query is accepted and answers with numbers from what a real exporter exposes."""
    values = [value for _, value in asked(prometheus, query.expr)]
    assert values, query.expr
    assert all(0 <= value < float("inf") for value in values)


def test_frequency_is_by_the_days_of_the_window(prometheus: RunningProcess) -> None:
    """Three deployments to production in thirty days are a tenth a day."""
    (query,) = (one for one in grafana.queries(DASHBOARD) if one.panel == "Deployments a day")
    rates = {labels["service"]: value for labels, value in asked(prometheus, query.expr)}
    assert rates["transactions-api"] == pytest.approx(0.1)


def test_deployments_are_marked_in_the_dashboard_of_their_service(prometheus: RunningProcess) -> None:
    """A service's own dashboard marks its last deployment to production at its own moment, in milliseconds."""
    board = grafana.read(SERVICES.read_text(encoding="utf-8"))
    (annotation,) = (one for one in board["annotations"]["list"] if one["name"] == "Deployments")
    expr = grafana.filled_in(annotation["expr"], grafana.variables(board))
    ((labels, milliseconds),) = asked(prometheus, expr)
    assert (labels["environment"], labels["version"]) == ("production", "v1")
    happened = at(DAY + 9) + timedelta(seconds=NOW - at(5 * DAY).timestamp())
    assert datetime.fromtimestamp(milliseconds / 1000, UTC) == happened


def test_without_the_exporter_there_are_no_marks_and_no_error(prometheus: RunningProcess) -> None:
    """The query of a service that nobody deploys answers with nothing, which Grafana shows as nothing."""
    board = grafana.read(SERVICES.read_text(encoding="utf-8"))
    (annotation,) = (one for one in board["annotations"]["list"] if one["name"] == "Deployments")
    expr = grafana.filled_in(annotation["expr"], {"service": "unheard-of"})
    assert asked(prometheus, expr) == []
