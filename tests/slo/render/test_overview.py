"""The overview as a document."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sereno_slo.model import Service
from sereno_slo.render.dashboards import dashboard_uid, render_dashboards
from sereno_slo.render.queries import NEVER_SECONDS
from support import grafana
from support.slo_services import SETTINGS, all_services, transactions_api


def read_overview(services: Sequence[Service]) -> dict[str, Any]:
    """The overview of these services."""
    return grafana.read(render_dashboards(services, SETTINGS)[-1].content)


OVERVIEW = read_overview(all_services())
TABLE = next(panel for panel in OVERVIEW["panels"] if panel["title"] == "SLOs by urgency")


def test_the_overview_is_no_services_neighbour() -> None:
    """A service's uid can't be the overview's, whatever its name."""
    assert dashboard_uid("overview") != OVERVIEW["uid"]


def test_the_overview_begins_with_trouble_and_least_budget() -> None:
    """The switch starts at trouble only; rows are sorted by when the budget is gone, then by how much there is."""
    switch = next(v for v in OVERVIEW["templating"]["list"] if v["name"] == "show")
    assert switch["current"]["text"] == "Missing or burning"
    assert [option["text"] for option in switch["options"]] == ["Missing or burning", "All SLOs"]
    sorts = [one["options"]["sort"] for one in TABLE["transformations"] if one["id"] == "sortBy"]
    # Each sort keeps the order of what is equal: the last one decides.
    assert sorts == [[{"field": "Budget remaining"}], [{"field": "Budget gone in, 1d pace"}]]
    sorted_by_a_viewer = TABLE["options"]["sortBy"]
    assert [one["displayName"] for one in sorted_by_a_viewer] == ["Budget gone in, 1d pace", "Budget remaining"]
    assert not any(one["desc"] for one in sorted_by_a_viewer)


def test_long_names_have_uids_of_their_own() -> None:
    """A name that doesn't fit gets a uid of at most 40 characters, differs from its neighbours, and is linked by it."""
    names = [f"customer-identity-verification-service-{region}" for region in ("eu", "us")] + ["a" * 33, "a" * 34]
    uids = {name: dashboard_uid(name) for name in names}
    assert len(set(uids.values())) == len(names)
    assert max(map(len, uids.values())) == 40
    assert uids["a" * 33] == f"sereno-{'a' * 33}"
    services = [replace(transactions_api(), name=name) for name in names]
    table = next(p for p in read_overview(services)["panels"] if p["type"] == "table")
    (identity, *_) = [target["expr"] for target in table["targets"]]
    linked = re.findall(r', "dashboard", "([^"]+)", "service", "([^"]+)"\)', identity)
    long_names = [name for name in names if len(name) > 33]
    assert linked == [("sereno-$1", "(.*)"), *((uids[name], name) for name in long_names)]


def test_the_overview_of_nothing_is_still_a_dashboard() -> None:
    """A repository without specs gets an overview that says where it came from."""
    of_any, overview = render_dashboards((), SETTINGS)
    assert (of_any.name, overview.name) == ("slo.json", "overview.json")
    assert all("from no spec" in artefact.content for artefact in (of_any, overview))


def test_graphs_are_few_lines_however_many_slos_there_are() -> None:
    """Lines over time are of the neediest SLOs at the end of the range: a day of a thousand SLOs is 30 MB."""
    over_time = [query.expr for query in grafana.queries(OVERVIEW) if not query.instant]
    assert len(over_time) == 3
    assert all(re.search(r"and on \(service, slo\) bottomk\([24]0, ", expr) for expr in over_time)


def test_calm_is_said() -> None:
    """A table without rows tells that all is well instead of "No data"."""
    assert TABLE["fieldConfig"]["defaults"]["noValue"].startswith("All is calm")


def test_calm_is_said_of_the_table_not_of_its_cells() -> None:
    """Grafana writes a panel's words for nothing into each cell without a value, unless its column has others."""
    tables = [panel for panel in OVERVIEW["panels"] if panel["type"] == "table"]
    assert len(tables) == 3
    for table in tables:
        figures = [one for one in table["fieldConfig"]["overrides"] if "unit" in settings_of(one)]
        assert figures
        assert {settings_of(one)["noValue"] for one in figures} == {"–"}  # noqa: RUF001 - a dash, as people write it


def settings_of(override: dict[str, Any]) -> dict[str, Any]:
    """What an override sets."""
    return {setting["id"]: setting["value"] for setting in override["properties"]}


def test_a_table_of_one_query_knows_its_column() -> None:
    """Grafana names the values of a panel's only query `Value`, and those of one of several `Value #A`."""
    titles = {
        panel["title"]: panel["transformations"][1]["options"]["renameByName"]
        for panel in grafana.panels(OVERVIEW)
        if panel["type"] == "table"
    }
    assert titles["Alerts since yesterday"] == {"Value": "State"}
    assert titles["Budgets since yesterday"] == {
        "Value #A": "Change",
        "Value #B": "Budget now",
        "Value #C": "Yesterday",
    }


def test_what_has_no_data_is_told_in_words() -> None:
    """Its place on top has a name, not a time below 0."""
    (column,) = [
        settings_of(one)
        for one in TABLE["fieldConfig"]["overrides"]
        if one["matcher"]["options"] == "Budget gone in, 1d pace"
    ]
    words = {value: result["text"] for value, result in column["mappings"][0]["options"].items()}
    assert words == {"-1": "no data", "0": "spent", str(NEVER_SECONDS): "not in sight"}


def test_links_keep_the_time() -> None:
    """Whoever follows a name looks at the same hours there."""
    settings = [settings_of(one) for one in TABLE["fieldConfig"]["overrides"]]
    urls = [link["url"] for one in settings for link in one.get("links", ())]
    assert len(urls) == 2
    assert all("${__url_time_range}" in url for url in urls)


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
