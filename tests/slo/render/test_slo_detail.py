"""The dashboard of any SLO: one file, and whichever is chosen at the top."""

from dataclasses import replace
from typing import Any

import pytest
from sereno_slo.model import GroupBy, Links, Settings
from sereno_slo.plan.series import EXHAUSTED_IN
from sereno_slo.render.dashboards import render_spanning_dashboards
from sereno_slo.render.queries import NEVER_SECONDS
from support import grafana
from support.recorded import Ask
from support.slo_services import SETTINGS, etl_worker, transactions_api

RATIO, GROUPED = transactions_api(), etl_worker()
ROWS = replace(GROUPED.slos[0], group_by=GroupBy(("table",), limit=10, alert=False))
SERVICES = (RATIO, replace(GROUPED, slos=(ROWS, *GROUPED.slos[1:])))


def board(services: Any = SERVICES, settings: Settings = SETTINGS) -> dict[str, Any]:
    """The dashboard of these services."""
    return grafana.read(render_spanning_dashboards(services, settings)[0].content)


BOARD = board()


def shown(ask: Ask, title: str, **chosen: str) -> list[list[tuple[dict[str, str], float]]]:
    """Labels and values of now, for each query of a panel, once something is chosen."""
    asked = [one for one in grafana.queries(BOARD, **chosen) if one.panel == title]
    assert asked
    return [[(found["metric"], float(found["value"][1])) for found in ask(one.expr)] for one in asked]


def values(ask: Ask, title: str, **chosen: str) -> list[float]:
    """The one value of each query of a panel."""
    return [value for ((_, value),) in shown(ask, title, **chosen)]


AVAILABILITY = {"service": "transactions-api", "slo": "availability"}
LATENCY = {"service": "transactions-api", "slo": "latency"}
OF_ROWS = {"service": "etl-worker", "slo": "rows"}


def test_it_opens_with_the_first_slo_of_the_first_service() -> None:
    """Grafana shows something before anybody has chosen."""
    chosen = grafana.variables(BOARD)
    assert (chosen["service"], chosen["slo"]) == ("etl-worker", "rows")
    assert [variable["name"] for variable in BOARD["templating"]["list"]] == [
        *("datasource", "service", "slo", "group_table"),
    ]


@pytest.mark.parametrize("chosen", [AVAILABILITY, LATENCY, OF_ROWS], ids=lambda chosen: chosen["slo"])
def test_it_shows_what_the_services_dashboard_shows(ask: Ask, chosen: dict[str, str]) -> None:
    """From recorded series alone come the same figures as where objective and window are known."""
    expected = {
        "availability": (-1, 0.998, 0.999, 30 * 86_400, -10, 0),
        "latency": (0.8, 0.998, 0.99, 7 * 86_400, 80, 0.2),
        "rows": (0.92, 0.998, 0.975, 30 * 86_400, 230, 0.08),
    }[chosen["slo"]]
    titles = ("Budget remaining", "Service level", "Window", "Bad events left", "Burn rate, 1h")
    assert [value for title in titles for value in values(ask, title, **chosen)] == pytest.approx(expected)


def test_when_a_budget_is_gone_is_told_of_recorded_ones_only(ask: Ask) -> None:
    """Overspent is spent, also before a pace is recorded; calm is not in sight; an unknown SLO is neither."""
    assert values(ask, "Budget gone in, 1d pace", service="etl-worker", slo="stage") == [NEVER_SECONDS]
    assert values(ask, "Budget gone in, 1d pace", **LATENCY) == [7 * 86_400]
    assert shown(ask, "Budget gone in, 1d pace", service="etl-worker", slo="unknown") == [[]]
    (query,) = [one for one in grafana.queries(BOARD, **AVAILABILITY) if one.panel == "Budget gone in, 1d pace"]
    ((_, spent),) = [found["value"] for found in ask(query.expr.replace(EXHAUSTED_IN, "not_recorded"))]
    assert float(spent) == 0
    (panel,) = [panel for panel in grafana.panels(BOARD) if panel["title"] == "Budget gone in, 1d pace"]
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["noValue"].startswith("nothing recorded")
    words = {value: result["text"] for value, result in defaults["mappings"][0]["options"].items()}
    assert words == {"0": "spent", str(NEVER_SECONDS): "not in sight"}


def test_the_forecast_knows_the_window(ask: Ask) -> None:
    """A burn rate of 0.2 takes a 35th of a budget of seven days each day."""
    assert values(ask, "Budget forecast", **LATENCY) == pytest.approx([0.8 - days * 0.2 / 7 for days in (1, 3, 7)])


def test_a_young_slo_has_no_forecast(ask: Ask) -> None:
    """An hour's failures are no day's: what wasn't seen a day ago, has no figure, and that is said."""
    asked = [one.expr for one in grafana.queries(BOARD, **LATENCY) if one.panel == "Budget forecast"]
    assert len(asked) == 3
    assert all(not ask(expr.replace("offset 1d", "offset 2d")) for expr in asked)
    (panel,) = [panel for panel in grafana.panels(BOARD) if panel["title"] == "Budget forecast"]
    assert panel["fieldConfig"]["defaults"]["noValue"] == "nothing was seen a day ago"


def test_dependencies_are_those_of_the_chosen_slo(ask: Ask) -> None:
    """Of an SLO, what it depends on; of a journey, its steps; of others nothing."""

    def depends_on(**chosen: str) -> list[set[tuple[str, str]]]:
        return [{(one["service"], one["slo"]) for one, _ in rows} for rows in shown(ask, "Depends on", **chosen)]

    assert depends_on(**AVAILABILITY) == [{("etl-worker", "stage")}] * 2
    assert (
        depends_on(service="transactions-api", slo="pay")
        == [
            {("transactions-api", "availability"), ("etl-worker", "rows")},
        ]
        * 2
    )
    assert depends_on(**OF_ROWS) == [set()] * 2


def test_what_depends_is_limited_and_that_is_said() -> None:
    """A query grows with each SLO that depends on others: it ends where servers still take it, in words."""
    slos = tuple(replace(RATIO.slos[0], name=f"slo-{number}") for number in range(101))
    panels = grafana.panels(board((replace(RATIO, slos=slos, journeys=()),)))
    (table,) = [panel for panel in panels if panel["title"] == "Depends on"]
    assert "Only the first 100 SLOs" in table["description"]
    assert max(len(target["expr"]) for target in table["targets"]) < 40_000
    assert not any("Only the first" in panel["description"] for panel in grafana.panels(BOARD))


def test_groups_are_chosen_by_their_labels(ask: Ask) -> None:
    """All of them to begin with, then the chosen ones; an SLO without groups has none."""
    columns = shown(ask, "Budgets of groups", **OF_ROWS)
    assert [{labels["table"] for labels, _ in rows} for rows in columns] == [{"orders", "refunds"}] * 4
    assert [value for ((_, value),) in shown(ask, "Budgets of groups", **OF_ROWS, group_table="refunds")] == [
        *(0.25, 0.00625, 5, 400),
    ]
    assert shown(ask, "Budgets of groups", **LATENCY) == [[]] * 4
    assert values(ask, "Groups left out", **OF_ROWS) == [0]


def test_without_groups_and_dependencies_there_are_no_such_panels() -> None:
    """A repository that groups nothing has no variable for it either."""
    alone = replace(transactions_api(), journeys=(), slos=transactions_api().slos[1:])
    titles = {panel["title"] for panel in board((alone,))["panels"]}
    assert not titles & {"Depends on", "Budgets of groups", "Groups left out"}
    assert [variable["name"] for variable in board((alone,))["templating"]["list"]] == ["datasource", "service", "slo"]


def test_excluded_time_is_told_in_words(ask: Ask) -> None:
    """Whether time counts is a word beside the colour."""
    assert values(ask, "Excluded time", **OF_ROWS) == [0]
    panel = next(panel for panel in grafana.panels(BOARD) if panel["title"] == "Excluded time")
    (mapping,) = panel["fieldConfig"]["defaults"]["mappings"]
    assert {value: result["text"] for value, result in mapping["options"].items()} == {"0": "counts", "1": "excluded"}


def test_firing_alerts_are_told_by_name(ask: Ask) -> None:
    """Whatever fires is a line of its own, with the word beside the colour."""
    ((found, value),) = shown(ask, "Alerts", **OF_ROWS)[0]
    assert (found["alertname"], value) == ("SLOErrorBudgetBurn", 1)
    assert shown(ask, "Alerts", **AVAILABILITY) == [[]]


def test_runbook_incidents_and_service_are_one_click_away() -> None:
    """Links follow what is chosen; those that the settings don't know are left out."""
    links = {link["title"]: link.get("url") for link in BOARD["links"]}
    assert links == {
        "SLO dashboards": None,
        "Service": "/d/sereno-$service",
        "Runbook": "https://runbooks.example.org/sereno/$service/$slo.md",
        "Incidents": "http://localhost:19093/incidents?service=$service&slo=$slo",
    }
    assert [link["title"] for link in BOARD["links"] if link["keepTime"]] == ["SLO dashboards", "Service"]
    bare = board((replace(RATIO, name="a" * 40),), replace(SETTINGS, links=Links("", "", "", "")))
    assert [link["title"] for link in bare["links"]] == ["SLO dashboards"]


def test_annotations_are_the_chosen_slos() -> None:
    """Firing alerts, deployments of its service, and excluded time."""
    firing, deployed, excluded = BOARD["annotations"]["list"]
    assert firing["expr"] == 'ALERTS{alertstate="firing", service="$service", slo="$slo"}'
    assert 'service="$service"' in deployed["expr"]
    assert excluded["expr"] == 'sereno:excluded:bool{service="$service", slo="$slo"} == 1'


def test_every_panel_says_why_it_is_empty() -> None:
    """No panel shows a bare "No data"."""
    for panel in grafana.panels(BOARD):
        assert panel["fieldConfig"]["defaults"]["noValue"], panel["title"]
