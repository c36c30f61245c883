"""Who is told: alertmanager.yml asked by amtool, label set by label set."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import click
import pytest
import yaml
from sereno_cli.commands.incidents import command as incidents
from sereno_postmortems.receiver import create_receiver
from sereno_postmortems.store import IncidentStore

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "alerting/alertmanager/alertmanager.yml"

CASES = {
    "a page goes to its owner": ("severity=critical owner=payments service=t slo=a", "payments-page"),
    "a ticket goes to its owner": ("severity=warning owner=payments service=t slo=a", "payments-ticket"),
    "a page of an unknown owner reaches a person": ("severity=critical owner=nobody-knows", "default-page"),
    "a ticket of an unknown owner reaches a person": ("severity=warning owner=nobody-knows", "default-ticket"),
    "a page without an owner reaches a person": ("severity=critical", "default-page"),
    "an owner is matched whole": ("severity=critical owner=payments-eu", "default-page"),
    "info disturbs nobody": ("severity=info owner=payments", "nowhere"),
    "none disturbs nobody": ("severity=none", "nowhere"),
    "an unknown severity disturbs nobody": ("severity=page owner=payments", "nowhere"),
    "no severity disturbs nobody": ("owner=payments", "nowhere"),
    "a shadow page disturbs nobody": ("severity=critical owner=payments shadow=true", "nowhere"),
    "a compiled shadow page disturbs nobody": ("severity=info owner=payments shadow=critical", "nowhere"),
    "nor if its severity is changed": ("severity=critical owner=payments shadow=critical", "nowhere"),
    "a shadow ticket disturbs nobody": ("severity=warning owner=payments shadow=true", "nowhere"),
    "shadow=false is an ordinary page": ("severity=critical owner=payments shadow=false", "payments-page"),
    "the Watchdog goes to the heartbeat": ("alertname=Watchdog severity=none", "heartbeat"),
}


def test_configuration_is_accepted() -> None:
    """Alertmanager's own checker accepts the configuration and finds the templates."""
    check = subprocess.run(["amtool", "check-config", CONFIG], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stderr
    assert "1 templates" in check.stdout


@pytest.mark.parametrize("case", CASES)
def test_route(case: str) -> None:
    """An alert with these labels reaches exactly this receiver."""
    labels, receiver = CASES[case]
    arguments = ["amtool", "config", "routes", "test", f"--config.file={CONFIG}", *labels.split()]
    answer = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert answer.stdout.split() == [receiver]


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
