"""Each system has a dashboard that leads to its SLOs. Whether it shows data is told by tests/story/test_stories.py."""

import json
from pathlib import Path

import pytest
import yaml
from sereno_cli.demo.systems import system_ids
from sereno_slo.render.dashboards import dashboard_uid

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("system", system_ids(ROOT))
def test_each_system_has_a_dashboard_that_leads_to_its_slos(system: str) -> None:
    """Its services are the system's specs, and each one's SLO dashboard is a link at the top."""
    folder = ROOT / "systems" / system
    written, run = (yaml.safe_load((folder / name).read_text()) for name in ("dashboard.yaml", "system.yaml"))
    assert written["services"] == run["specs"]
    board = json.loads((ROOT / f"dashboards/grafana/handwritten/system-{system}.json").read_text())
    links = {link["url"] for link in board["links"] if link["type"] == "link"}
    assert links == {f"/d/{dashboard_uid(service)}" for service in run["specs"]}
    generated = (ROOT / "dashboards/grafana/generated").glob("*.json")
    assert links <= {f"/d/{json.loads(path.read_text())['uid']}" for path in generated}
