"""The demo's Alertmanager keeps the repository's routing and tells only the incident receiver."""

import subprocess
from pathlib import Path
from typing import Any

import yaml
from sereno_cli.demo.configuration import local_alertmanager

REPOSITORY = Path(__file__).parents[3]


def _original() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((REPOSITORY / "alerting/alertmanager/alertmanager.yml").read_text())
    return document


def _receivers(file: Path, **labels: str) -> str:
    command = ["amtool", "config", "routes", "test", f"--config.file={file}"]
    told = [f"{name}={value}" for name, value in labels.items()]
    done = subprocess.run([*command, *told], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def _routes(route: dict[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    own = (route["receiver"], tuple(route.get("matchers", ())))
    return [own, *(inner for child in route.get("routes", ()) for inner in _routes(child))]


def test_routes_and_inhibitions_are_those_of_the_repository() -> None:
    """What is rehearsed in the demo is the routing that pages people."""
    local = local_alertmanager(_original(), "http://127.0.0.1:1")
    assert _routes(local["route"]) == _routes(_original()["route"])
    assert local["inhibit_rules"] == _original()["inhibit_rules"]


def test_business_hours_are_left_out() -> None:
    """The demo's stories are told at night, too, and no route names an interval that isn't there."""
    original = _original()
    original["time_intervals"] = [{"name": "hours", "time_intervals": []}]
    original["route"]["routes"][-1]["active_time_intervals"] = ["hours"]
    local = local_alertmanager(original, "http://127.0.0.1:1")
    assert "hours" not in str(local)


def test_nobody_outside_is_told() -> None:
    """No receiver reaches beyond the incident receiver."""
    local = local_alertmanager(_original(), "http://127.0.0.1:1")
    for receiver in local["receivers"]:
        assert set(receiver) <= {"name", "webhook_configs"}
        assert all(hook["url"].startswith("http://127.0.0.1:1/") for hook in receiver.get("webhook_configs", ()))


def test_alertmanager_accepts_it(tmp_path: Path) -> None:
    """Alertmanager's own tool finds nothing wrong with the file."""
    file = tmp_path / "alertmanager.yml"
    file.write_text(yaml.safe_dump(local_alertmanager(_original(), "http://127.0.0.1:1")))
    done = subprocess.run(["amtool", "check-config", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_consequences_wait_for_their_cause(tmp_path: Path) -> None:
    """They are told later than others, and who is told is the same."""
    file = tmp_path / "alertmanager.yml"
    local = local_alertmanager(_original(), "http://127.0.0.1:1", ["tournaments/purchases", "transactions-api/latency"])
    file.write_text(yaml.safe_dump(local))
    waiting = [route for route in local["route"]["routes"] if route.get("group_wait") == "65s"]
    assert [route["matchers"] for route in waiting] == [
        ['service="tournaments"', 'slo="purchases"'],
        ['service="transactions-api"', 'slo="latency"'],
    ]
    assert {child["group_wait"] for route in waiting for child in route["routes"]} == {"65s"}
    for severity, receiver in {"critical": "default-page", "warning": "default-ticket", "info": "nowhere"}.items():
        assert _receivers(file, service="tournaments", slo="purchases", severity=severity) == receiver
    payments = {"service": "transactions-api", "slo": "latency", "owner": "payments", "severity": "critical"}
    assert _receivers(file, **payments) == "payments-page"
