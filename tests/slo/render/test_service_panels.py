"""What a service's dashboard tells beside its budgets: endpoints, durations, the forecast, logs and incidents."""

from dataclasses import replace
from typing import Any

import pytest
from sereno_slo.calendars import CalendarUnit, CalendarWindow
from sereno_slo.duration import Duration
from sereno_slo.model import Service
from sereno_slo.render.dashboards import render_dashboard
from support import grafana
from support.recorded import Ask
from support.slo_services import SETTINGS, etl_worker, transactions_api


def of(service: Service) -> dict[str, dict[str, Any]]:
    """The panels of its dashboard by title."""
    return {panel["title"]: panel for panel in grafana.panels(board(service))}


def board(service: Service) -> dict[str, Any]:
    """The dashboard of one service."""
    return grafana.read(render_dashboard(service, SETTINGS).content)


PANELS = of(transactions_api())


def shown(ask: Ask, title: str) -> list[list[tuple[dict[str, str], float]]]:
    """Labels and values of now, for each query of a panel."""
    asked = [one for one in grafana.queries(board(transactions_api())) if one.panel == title]
    return [[(found["metric"], float(found["value"][1])) for found in ask(one.expr)] for one in asked]


def test_endpoints_tell_failures_percentile_and_traffic(ask: Ask) -> None:
    """Half of the calls to one of two instances fail, a quarter of all; the worst row stands on top."""
    failed, p95, calls = shown(ask, "Endpoints")
    row = {"http_route": "/transactions", "http_request_method": "POST"}
    assert [labels for labels, _ in failed] == [labels for labels, _ in p95] == [labels for labels, _ in calls] == [row]
    assert [failed[0][1], calls[0][1]] == pytest.approx([0.25, 1200])
    assert 0.5 < p95[0][1] < 1
    assert PANELS["Endpoints"]["options"]["sortBy"] == [{"desc": True, "displayName": "Failed"}]


def test_calls_are_told_apart_by_status(ask: Ask) -> None:
    """Each status has its line; together they are all calls."""
    (found,) = shown(ask, "Calls by status")
    assert {labels["http_response_status_code"]: value for labels, value in found} == pytest.approx(
        {"200": 900, "500": 300}
    )


def test_the_heatmap_has_every_bucket(ask: Ask) -> None:
    """Buckets are asked as Prometheus has them, up to each bound; Grafana takes the difference."""
    (found,) = shown(ask, "All durations")
    by_bound = {labels["le"]: value for labels, value in found}
    assert by_bound == pytest.approx({"0.3": 960, "0.5": 1080, "1.0": 1200, "+Inf": 1200})
    (target,) = PANELS["All durations"]["targets"]
    assert (target["format"], target["legendFormat"]) == ("heatmap", "{{le}}")


def test_only_http_has_endpoints() -> None:
    """Events without routes and statuses have a heatmap and no such panels."""
    titles = set(of(etl_worker()))
    assert {"Duration", "All durations"} <= titles
    assert not titles & {"Endpoints", "Calls by status", "P95 by route"}


def test_the_forecast_goes_on_as_the_last_day(ask: Ask) -> None:
    """At a burn rate of 0.2 a budget of seven days loses a 35th a day: 80 % become 77, 71 and 60 %."""
    values = [value for ((_, value),) in shown(ask, "latency: budget forecast")]
    assert values == pytest.approx([0.8 - days * 0.2 / 7 for days in (1, 3, 7)])


def test_the_forecast_of_a_young_slo_is_none(ask: Ask) -> None:
    """What nobody saw a day ago, has no pace of a day."""
    asked = [one.expr for one in grafana.queries(board(transactions_api())) if one.panel == "latency: budget forecast"]
    assert len(asked) == 3
    assert all(not ask(expr.replace("offset 1d", "offset 2d")) for expr in asked)


def test_the_forecast_says_what_it_leaves_out() -> None:
    """A rolling window gives back what leaves it, a calendar's begins anew; no horizon is beyond the window."""
    service = transactions_api()
    slo = replace(service.slos[0], window=Duration.parse("3d"))
    panel = of(replace(service, slos=(slo,)))["availability: budget forecast"]
    assert [target["legendFormat"] for target in panel["targets"]] == ["in 1d", "in 3d"]
    assert "comes back" in panel["description"]
    monthly = replace(service.slos[0], calendar=CalendarWindow(CalendarUnit.MONTH, "UTC"))
    panel = of(replace(service, slos=(monthly,)))["availability: budget forecast"]
    assert "with the next month it is whole again" in panel["description"]


def test_log_lines_are_the_services_own() -> None:
    """Elasticsearch is asked for this service, for warnings and errors first; an empty panel says why."""
    panel = PANELS["Log lines"]
    (target,) = panel["targets"]
    values = grafana.variables(board(transactions_api()))
    assert target["query"] == 'service.name:"$service" AND ${lines:raw}'
    assert values["service"] == "transactions-api"
    assert values["lines"] == "log.level:(warning OR warn OR error OR critical OR fatal)"
    assert target["metrics"] == [{"id": "1", "settings": {"limit": "200"}, "type": "logs"}]
    assert "no Elasticsearch is chosen" in panel["fieldConfig"]["defaults"]["noValue"]


@pytest.mark.parametrize("service", [transactions_api(), etl_worker()], ids=lambda service: service.name)
def test_every_panel_says_why_it_is_empty(service: Service) -> None:
    """No panel shows a bare "No data"."""
    for title, panel in of(service).items():
        assert panel["fieldConfig"]["defaults"]["noValue"], title


@pytest.mark.parametrize("service", [transactions_api(), etl_worker()], ids=lambda service: service.name)
def test_no_colour_needs_an_eye_for_green(service: Service) -> None:
    """Well is blue, not green: red and green are one colour to many."""
    assert '"green"' not in render_dashboard(service, SETTINGS).content
