"""Grafana's provisioning files."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import yaml
from sereno_slo.render.dashboards import render_dashboard
from sereno_slo.render.datasources import render_datasources
from support import grafana
from support.slo_services import SETTINGS, transactions_api

REPOSITORY = Path(__file__).parents[3]
GRAFANA = REPOSITORY / "dashboards" / "grafana"


def read(name: str) -> dict[str, Any]:
    """A provisioning file."""
    document: dict[str, Any] = yaml.safe_load((GRAFANA / "provisioning" / name).read_text(encoding="utf-8"))
    assert document["apiVersion"] == 1
    return document


def test_the_data_source_is_one_that_dashboards_can_choose() -> None:
    """Dashboards offer data sources of the type that is provisioned, and it is the default."""
    metrics, logs = read("datasources/sereno.yaml")["datasources"]
    dashboard = grafana.read(render_dashboard(transactions_api(), SETTINGS).content)
    types = [one["query"] for one in dashboard["templating"]["list"] if one["type"] == "datasource"]
    assert types == [metrics["type"], logs["type"]]
    assert metrics["isDefault"] is True


def links(trace: str) -> tuple[str, str]:
    """Where exemplars lead, and where trace ids of log lines do, when Grafana has read the file."""
    settings = replace(SETTINGS, links=replace(SETTINGS.links, trace=trace))
    metrics, logs = yaml.safe_load(render_datasources(settings).content)["datasources"]
    (exemplar,), (line,) = metrics["jsonData"]["exemplarTraceIdDestinations"], logs["jsonData"]["dataLinks"]
    assert (exemplar["name"], line["field"]) == ("trace_id", "trace.id")
    # Grafana reads `$$` as a dollar that belongs to no environment variable.
    return tuple(one["url"].replace("$$", "$") for one in (exemplar, line))


def test_exemplars_lead_to_the_trace() -> None:
    """The settings' template gets the value of the exemplar's label; other dollars stay as they are."""
    url = "https://traces.example.org/?id={trace_id}&cost=$1"
    expected = "https://traces.example.org/?id=${__value.raw}&cost=$1"
    assert links(url) == (expected, expected)


def test_without_an_address_of_traces_their_logs_are_shown() -> None:
    """Grafana's page of logs asks the provisioned Elasticsearch for everything of that trace."""
    exemplar, line = links("")
    assert exemplar == line
    path, _, arguments = exemplar.partition("?")
    assert path == "/explore"
    # The browser fills in the id before it opens the address.
    (panes,) = parse_qs(arguments.replace("${__value.raw}", "4bf92f"))["panes"]
    (pane,) = json.loads(panes).values()
    (query,) = pane["queries"]
    assert query["query"] == 'trace.id:"4bf92f"'
    assert query["metrics"][0]["type"] == "logs"
    assert pane["datasource"] == read("datasources/sereno.yaml")["datasources"][1]["uid"]


def test_dashboards_are_looked_for_where_the_compiler_writes_them() -> None:
    """Generated and handwritten dashboards have folders of their own, named by one variable and no machine's path."""
    providers = read("dashboards/sereno.yaml")["providers"]
    paths = [provider["options"]["path"] for provider in providers]
    assert paths == [f"$SERENO_HOME/dashboards/grafana/{folder}" for folder in ("generated", "handwritten")]
    for unique in ("name", "folder", "folderUid"):
        assert len({provider[unique] for provider in providers}) == len(providers)


def test_the_readme_names_every_variable() -> None:
    """Every environment variable of the provisioning files is explained beside them."""
    readme = (GRAFANA / "README.md").read_text(encoding="utf-8")
    files = "".join(path.read_text(encoding="utf-8") for path in (GRAFANA / "provisioning").glob("*/*.yaml"))
    names = set(re.findall(r"(?<!\$)\$([A-Z_]+)", files))
    assert "SERENO_HOME" in names
    for name in names:
        assert f"export {name}=" in readme
