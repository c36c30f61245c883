"""Rules, dashboards and runbooks of standard exporters, before what the real exporters of real servers serve."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import exporters_table, grafana, runbook_queries, standard_exporters
from support.elasticsearch import ElasticsearchServer
from support.elasticsearch import marked as elasticsearch_marked
from support.nginx import PROGRAM as NGINX
from support.postgresql import marked as postgresql_marked
from support.rabbitmq import marked as rabbitmq_marked
from support.redis import marked as redis_marked
from support.rule_selectors import selectors
from support.standard_exporters import Watched, program
from support.watching import RULES, Watching, watching

ROOT = Path(__file__).resolve().parents[3]


def needed(exporter: str) -> list[pytest.MarkDecorator]:
    """Skipped where Debian's exporter isn't here, or the nginx that is watched or looked at."""
    is_there = exporter == "mongodb" or program(exporter) is not None
    without_nginx = NGINX is None and exporter in {"nginx", "blackbox"}
    reason = f"needs prometheus-{exporter}-exporter{', nginx' if without_nginx else ''}: make test-tools"
    return [pytest.mark.skipif(not is_there or without_nginx, reason=reason)]


Start = Callable[[Path], AbstractContextManager[Watched]]
# Those that start within a moment share one Prometheus: its first scrape comes five seconds after its start.
TOGETHER: dict[str, Start] = {
    "node": standard_exporters.node,
    "nginx": standard_exporters.nginx,
    "mongodb": standard_exporters.mongodb,
    "blackbox": standard_exporters.blackbox,
}
ALONE: dict[str, Start] = {
    "postgresql": standard_exporters.postgresql,
    "redis": standard_exporters.redis_pair,
    "rabbitmq": standard_exporters.rabbitmq,
}
EXPORTERS = [
    *(pytest.param(name, marks=[*needed(name), pytest.mark.xdist_group("standard-exporters")]) for name in TOGETHER),
    pytest.param("postgresql", marks=[*needed("postgres"), *postgresql_marked]),
    pytest.param("redis", marks=[*needed("redis"), *redis_marked]),
    pytest.param("rabbitmq", marks=rabbitmq_marked),
    pytest.param("elasticsearch", marks=[*needed("elasticsearch"), *elasticsearch_marked]),
]


def test_every_folder_is_tested() -> None:
    """Each standard exporter has its scrape job, rules and dashboard, and is one of those tested here."""
    tested = {str(parameter.values[0]) for parameter in EXPORTERS}
    assert tested == {path.parent.name for path in ROOT.glob("exporters/standard/*/scrape.yaml")}
    assert tested == {path.parent.name for path in ROOT.glob("exporters/standard/*/dashboard.yaml")}
    # aws holds the configuration of YACE alone, without a real CloudWatch to read: tests/exporters/aws/test_yace.py.
    assert {path.name for path in ROOT.glob("exporters/standard/*") if path.is_dir()} == tested | {"aws"}


class Served:
    """An exporter's name, and a Prometheus that watches it."""

    def __init__(self, name: str, prometheus: Watching) -> None:
        self.name = name
        self.prometheus = prometheus
        self.rules = [rule for group in _yaml(RULES / f"{name}.rules.yaml")["groups"] for rule in group["rules"]]
        self.dashboard = grafana.read(
            (ROOT / f"dashboards/grafana/handwritten/{name}.json").read_text(encoding="utf-8")
        )

    def queries(self) -> Iterator[tuple[str, str]]:
        """Each rule and each query of the dashboard, with a name."""
        for rule in self.rules:
            yield rule.get("alert") or rule["record"], rule["expr"]
        for query in grafana.queries(self.dashboard):
            yield query.panel, query.expr
        for variable in self.dashboard["templating"]["list"]:
            if found := re.fullmatch(r"label_values\((.+), (\w+)\)", str(variable["query"])):
                yield f"variable {variable['name']}", found[1].replace("$job", ".+")

    def runbook_queries(self) -> Iterator[tuple[str, str]]:
        """Each query of the runbooks of its alerts that has to show something."""
        for alert in sorted({"ExporterDown", *(rule["alert"] for rule in self.rules if "alert" in rule)}):
            for number, query in enumerate(runbook_queries.queries(ROOT / "runbooks" / f"{alert}.md"), 1):
                if not query.may_be_empty:
                    yield f"{alert}-{number}", query.content


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watching]:
    """A Prometheus that watches all that start within a moment, as far as they are here."""
    folder = tmp_path_factory.mktemp("together")
    here = [name for name in TOGETHER if not any(mark.args[0] for mark in needed(name))]
    with ExitStack() as stack:
        watched = {name: stack.enter_context(TOGETHER[name](_made(folder / name))) for name in here}
        yield stack.enter_context(watching(folder, watched))


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.fixture(scope="module", params=EXPORTERS)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The exporter before its real server, scraped every second."""
    name = str(request.param)
    if name in TOGETHER:
        yield Served(name, request.getfixturevalue("together"))
        return
    folder = tmp_path_factory.mktemp(name)
    start: Start
    if name == "elasticsearch":
        server: ElasticsearchServer = request.getfixturevalue("elasticsearch_server")
        server.start()
        start = partial(standard_exporters.elasticsearch, server=server)
    else:
        start = ALONE[name]
    with start(folder) as watched, watching(folder, {name: watched}) as prometheus:
        yield Served(name, prometheus)


def test_every_selector_matches_what_was_served(served: Served) -> None:
    """Metric and matchers of each selector of rules and dashboard select a series that the real exporter served."""
    wanted = {(name, selector) for name, expr in served.queries() for selector in selectors(expr)}
    assert len(wanted) > 5

    def those_missing() -> list[str]:
        return sorted(f"{name}: {one}" for name, one in wanted if not served.prometheus.knows(one))

    assert served.prometheus.once_there(those_missing) == []


def test_no_panel_is_empty(served: Served) -> None:
    """Each query of the dashboard answers with numbers, never NaN or infinity."""

    def those_empty() -> list[str]:
        asked = [(query.panel, query.expr, served.prometheus.ask(query.expr)) for query in queries]
        return [f"{panel}: {expr}: {values}" for panel, expr, values in asked if not _are_numbers(values)]

    queries = list(grafana.queries(served.dashboard))
    assert queries
    assert served.prometheus.once_there(those_empty) == []


def test_every_query_of_a_runbook_answers(served: Served) -> None:
    """Copied as it stands, each query of the runbooks is accepted and shows something."""

    def those_empty() -> list[str]:
        asked = [(name, served.prometheus.ask(expr)) for name, expr in queries]
        return [f"{name}: {values}" for name, values in asked if not _are_numbers(values)]

    queries = list(served.runbook_queries())
    assert queries
    assert served.prometheus.once_there(those_empty) == []


def _are_numbers(values: list[float]) -> bool:
    return bool(values) and all(abs(value) < float("inf") for value in values)


def test_families_of_the_table_are_served(served: Served) -> None:
    """Each metric family that exporters/README.md names for the exporter has a series."""
    families = {
        family
        for row in exporters_table.rows()
        if row.is_standard and row.exporter == served.name
        for family in row.families
    }
    assert families
    assert served.prometheus.once_there(lambda: sorted(f for f in families if not served.prometheus.knows(f))) == []


def test_nothing_alerts_where_all_is_well(served: Served) -> None:
    """No alert's condition holds but those that the test's own server brings about."""
    if served.name == "node":
        pytest.skip("how this machine does is not the test's")
    own = {
        "rabbitmq": {"RabbitMQQueueWithoutConsumers", "RabbitMQMessagesDropped"},  # one message waits, one went nowhere
        "blackbox": {"BlackboxCertificateEndsSoon"},  # the test's certificate ends in two days
    }.get(served.name, set())
    holding = {rule["alert"] for rule in served.rules if "alert" in rule and served.prometheus.ask(rule["expr"])}
    assert holding <= own
