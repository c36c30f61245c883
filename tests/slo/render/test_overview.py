"""The overview as a document."""

from sereno_slo.render.dashboards import dashboard_uid, render_dashboards
from support import grafana
from support.slo_services import SETTINGS, all_services

OVERVIEW = grafana.read(render_dashboards(all_services(), SETTINGS)[-1].content)
TABLE = next(panel for panel in OVERVIEW["panels"] if panel["type"] == "table")


def test_the_overview_is_no_services_neighbour() -> None:
    """A service's uid can't be the overview's, whatever its name."""
    assert dashboard_uid("overview") != OVERVIEW["uid"]


def test_the_overview_begins_with_trouble_and_least_budget() -> None:
    """The switch starts at trouble only, and rows are sorted by the remaining budget."""
    switch = next(v for v in OVERVIEW["templating"]["list"] if v["name"] == "show")
    assert switch["current"]["text"] == "Missing or burning"
    assert [option["text"] for option in switch["options"]] == ["Missing or burning", "All SLOs"]
    assert TABLE["transformations"][-1]["options"] == {"sort": [{"field": "Budget remaining"}]}


def test_the_overviews_links_lead_to_the_services_dashboards() -> None:
    """A name of more than 33 characters is cut in the link exactly as it is in the uid."""
    assert '"sereno-$1", "service", "(.{0,33}).*"' in TABLE["targets"][0]["expr"]
    for length in (1, 33, 34, 63):
        service = "a" * length
        assert dashboard_uid(service) == f"sereno-{service[:33]}"


def test_the_overview_of_nothing_is_still_a_dashboard() -> None:
    """A repository without specs gets an overview that says where it came from."""
    (artefact,) = render_dashboards((), SETTINGS)
    assert artefact.name == "overview.json"
    assert "from no spec" in artefact.content


def test_calm_is_said() -> None:
    """A table without rows tells that all is well instead of "No data"."""
    assert TABLE["fieldConfig"]["defaults"]["noValue"].startswith("All is calm")


def test_every_column_has_its_unit() -> None:
    """Each query of the table has a column with a name, in the order of the queries, and a unit of its own."""
    renamed = TABLE["transformations"][1]["options"]["renameByName"]
    overrides = {
        override["matcher"]["options"]: override["properties"] for override in TABLE["fieldConfig"]["overrides"]
    }
    for target in TABLE["targets"][1:]:
        column = renamed[f"Value #{target['refId']}"]
        assert "unit" in {setting["id"] for setting in overrides[column]}
        assert target["format"] == "table"
        assert target["instant"] is True
