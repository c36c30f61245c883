"""The overview as a document."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sereno_slo.model import Service
from sereno_slo.render.dashboards import dashboard_uid, render_dashboards
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
    assert sorts == [[{"field": "Budget remaining"}], [{"field": "Budget gone in"}]]
    sorted_by_a_viewer = TABLE["options"]["sortBy"]
    assert [one["displayName"] for one in sorted_by_a_viewer] == ["Budget gone in", "Budget remaining"]
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
