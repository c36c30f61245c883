"""Grafana's provisioning files."""

from pathlib import Path
from typing import Any

import yaml
from sereno_slo.render.dashboards import render_dashboards
from support import grafana
from support.slo_services import SETTINGS

REPOSITORY = Path(__file__).parents[3]
GRAFANA = REPOSITORY / "dashboards" / "grafana"


def read(name: str) -> dict[str, Any]:
    """A provisioning file."""
    document: dict[str, Any] = yaml.safe_load((GRAFANA / "provisioning" / name).read_text(encoding="utf-8"))
    assert document["apiVersion"] == 1
    return document


def test_the_data_source_is_one_that_dashboards_can_choose() -> None:
    """Dashboards offer data sources of the type that is provisioned, and it is the default."""
    (source,) = read("datasources/sereno.yaml")["datasources"]
    (overview,) = render_dashboards((), SETTINGS)
    variable = grafana.read(overview.content)["templating"]["list"][0]
    assert variable["query"] == source["type"]
    assert source["isDefault"] is True


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
    for name in ("SERENO_HOME", "SERENO_PROMETHEUS_URL"):
        assert f"export {name}=" in readme
