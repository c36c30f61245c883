"""The repository's alertmanager.yml as a whole; who is told what, alerting/tests/routing.yaml tries case by case."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import click
import yaml
from sereno_cli.commands.incidents import command as incidents
from sereno_postmortems.receiver import create_receiver
from sereno_postmortems.store import IncidentStore

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "alerting/alertmanager/alertmanager.yml"


def test_configuration_is_accepted() -> None:
    """Alertmanager's own checker accepts the configuration and finds the templates."""
    check = subprocess.run(["amtool", "check-config", CONFIG], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stderr
    assert "1 templates" in check.stdout


def test_webhooks_lead_to_the_incidents_receiver(tmp_path: Path) -> None:
    """Every receiver but "nowhere" posts to the address at which `sereno incidents serve` listens by default."""
    receivers = {found["name"]: found for found in yaml.safe_load(CONFIG.read_text())["receivers"]}
    receivers.pop("nowhere")
    addresses = {urlsplit(webhook["url"]) for found in receivers.values() for webhook in found["webhook_configs"]}
    local = {address for address in addresses if address.hostname == "127.0.0.1"}
    assert len(local) == 1
    assert all(any(urlsplit(w["url"]) in local for w in found["webhook_configs"]) for found in receivers.values())

    (address,) = local
    application = create_receiver(IncidentStore(tmp_path / "incidents.sqlite"), clock=lambda: datetime.now(UTC))
    assert "post" in application.openapi()["paths"][address.path]
    assert isinstance(incidents, click.Group)
    assert {p.name: p.default for p in incidents.commands["serve"].params}["port"] == address.port
