"""exporters/README.md: every row says what is there, and everything that is there has a row."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.exporters_table import Row, rows

ROOT = Path(__file__).resolve().parents[2]
ROWS = list(rows())
DASHBOARDLESS = {"\N{EN DASH}", "yours"}
STANDARD = sorted(path.parent.name for path in ROOT.glob("exporters/standard/*/scrape.yaml"))


def alerts(path: Path) -> set[str]:
    """The names of all alerts of a rule file."""
    groups: list[Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    return {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}


ALERTS = {name for path in ROOT.glob("alerting/rules/handwritten/*.rules.yaml") for name in alerts(path)}
DASHBOARDS = {
    board["title"]: {panel["title"] for panel in board["panels"] if panel["type"] != "row"}
    for board in (json.loads(path.read_text(encoding="utf-8")) for path in ROOT.glob("dashboards/grafana/*/*.json"))
}


def identity(row: Row) -> str:
    """A row's name in the tests' report."""
    return f"{row.exporter}: {row.panel}"


def test_there_is_a_table() -> None:
    """The test reads rows of every standard exporter."""
    assert set(STANDARD) == {row.exporter for row in ROWS if row.is_standard}


@pytest.mark.parametrize("row", ROWS, ids=identity)
def test_every_alert_of_the_table_exists_with_its_runbook(row: Row) -> None:
    """Each alert is in a rule file, and the row leads to the runbook of just these alerts."""
    assert set(row.alerts) <= ALERTS
    assert set(row.runbooks) == {f"../runbooks/{alert}.md" for alert in row.alerts}
    assert all((ROOT / "exporters" / each).is_file() for each in row.runbooks)


@pytest.mark.parametrize("row", ROWS, ids=identity)
def test_every_panel_of_the_table_exists(row: Row) -> None:
    """The dashboard is there under its title, and has the panel; a row may have none."""
    if row.panel in DASHBOARDLESS:
        assert not row.alerts
    else:
        assert row.panel in DASHBOARDS[row.dashboard]


@pytest.mark.parametrize("exporter", STANDARD)
def test_every_alert_of_a_standard_exporter_has_a_row(exporter: str) -> None:
    """What the rules alert on is in the table, beside that exporter."""
    listed = {alert for row in ROWS if row.is_standard and row.exporter == exporter for alert in row.alerts}
    assert listed - {"ExporterDown"} == alerts(ROOT / f"alerting/rules/handwritten/{exporter}.rules.yaml")


@pytest.mark.parametrize("exporter", STANDARD)
def test_every_panel_of_a_standard_exporter_is_described_and_fits(exporter: str) -> None:
    """Title, description and unit on each panel, queries with the chosen data source, no two panels in one place."""
    board = json.loads((ROOT / f"dashboards/grafana/handwritten/{exporter}.json").read_text(encoding="utf-8"))
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
        if panel["type"] != "row":
            assert panel["title"]
            assert panel["description"]
            assert panel["fieldConfig"]["defaults"]["unit"]
            assert panel["datasource"]["uid"] == "${datasource}"
    assert {"datasource", "job", "instance"} == {each["name"] for each in board["templating"]["list"]}


def test_dashboards_are_told_apart() -> None:
    """No two dashboards have one uid or one title: a duplicate of either stops Grafana's provisioning."""
    boards = [json.loads(path.read_text(encoding="utf-8")) for path in ROOT.glob("dashboards/grafana/*/*.json")]
    assert len({board["uid"] for board in boards}) == len(boards)
    assert len({board["title"] for board in boards}) == len(boards)


def test_dashboards_are_what_their_sources_say() -> None:
    """An edit of dashboard.yaml that wasn't written, or of the JSON by hand, is found."""
    done = subprocess.run(
        [sys.executable, "scripts/written-dashboards.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("exporter", STANDARD)
def test_scrape_jobs_are_accepted_and_listed(exporter: str, tmp_path: Path) -> None:
    """Prometheus accepts the jobs as they stand; docs/ports.md has their names and ports."""
    path = tmp_path / "prometheus.yml"
    path.write_text((ROOT / f"exporters/standard/{exporter}/scrape.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    done = subprocess.run(
        ["promtool", "check", "config", str(path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    ports = (ROOT / "docs" / "ports.md").read_text(encoding="utf-8")
    for job in yaml.safe_load(path.read_text(encoding="utf-8"))["scrape_configs"]:
        addresses = [
            *job["static_configs"][0]["targets"],
            *(r.get("replacement", "") for r in job.get("relabel_configs", [])),
        ]
        (port,) = {address.rpartition(":")[2] for address in addresses if address.startswith("localhost:")}
        assert any(f"`{job['job_name']}`" in line and line.startswith(f"| {port} ") for line in ports.splitlines())
