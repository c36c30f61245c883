"""The dashboard of the monitoring itself: its questions stay cheap with a thousand SLOs."""

import re
from pathlib import Path

import pytest
from sereno_slo.model import Service
from sereno_slo.plan import plan_service
from support import grafana
from support.slo_services import SETTINGS, etl_worker, transactions_api

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = grafana.read((ROOT / "dashboards/grafana/handwritten/meta-monitoring.json").read_text(encoding="utf-8"))


def test_no_graph_reads_every_series_of_the_ledger() -> None:
    """A selector of all names, at every point of a graph, is millions of samples a minute with a thousand SLOs."""
    over_time = [query for query in grafana.queries(DASHBOARD) if not query.instant]
    assert over_time
    assert [query.panel for query in over_time if "__name__" in query.expr] == []


@pytest.mark.parametrize("service", [transactions_api(), etl_worker()], ids=lambda service: service.name)
def test_series_of_the_ledger_are_those_of_its_rule_groups(service: Service) -> None:
    """Every rule group of a chosen service, as Prometheus names it behind its file, counts for that service alone."""
    (query,) = [one for one in grafana.queries(DASHBOARD, service=service.name) if one.panel == "Series of the ledger"]
    (chosen,) = re.findall(r'rule_group=~"([^"]+)"', query.expr)
    (named,) = re.findall(r'"service", "\$1", "rule_group", "([^"]+)"', query.expr)
    groups = [
        f"/etc/prometheus/rules/{service.name}.rules.yaml;{group.name}"
        for group in plan_service(service, SETTINGS).groups
    ]
    assert groups
    assert all(re.fullmatch(chosen, group) for group in groups)
    assert {found[1] for group in groups if (found := re.fullmatch(named, group))} == {service.name}
    assert not re.fullmatch(chosen, f"/rules.yaml;sereno:another-{service.name}:availability:1m")
    assert not re.fullmatch(chosen, "/rules.yaml;prometheus")
