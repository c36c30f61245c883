"""What the specs say about causes below SLOs agrees with the rules that people wrote."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]


def test_causes_below_slos_are_pages_that_exist() -> None:
    """Each `stands_on` names an alert of alerting/rules/handwritten that pages, and has a runbook."""
    rules = [
        rule
        for path in (ROOT / "alerting/rules/handwritten").glob("*.rules.yaml")
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
    ]
    pages = {rule["alert"] for rule in rules if rule.get("labels", {}).get("severity") == "critical"}
    named = {cause["alert"] for slo in _slos() for cause in slo.get("stands_on", ())}
    assert named
    assert named - pages == set()
    assert all((ROOT / f"runbooks/{alert}.md").is_file() for alert in named)


def test_faults_that_stop_a_server_page_once() -> None:
    """A fault that stops a server and pages for an SLO has that SLO standing on the server's alert."""
    alerts = {"postgresql": "PostgreSQLDown", "rabbitmq": "RabbitMQDown", "redis": "RedisDown"}
    slos = {(slo["service"], slo["name"]): slo for slo in _slos()}
    stopped = 0
    for path in (ROOT / "systems").glob("*/system*.yaml"):
        system = yaml.safe_load(path.read_text(encoding="utf-8"))
        for name, fault in system["faults"].items():
            labels = fault["expects"].get("labels", {})
            if "server" in fault["switch"] and "slo" in labels:
                causes = slos[labels["service"], labels["slo"]].get("stands_on", ())
                wanted = {"alert": alerts[fault["switch"]["server"]], "match": f'system="{system["system"]}"'}
                assert wanted in causes, name
                stopped += 1
    assert stopped


def _slos() -> list[dict[str, Any]]:
    specs = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in (ROOT / "slo/specs").glob("*.slo.yaml"))
    return [{**slo, "service": spec["service"]} for spec in specs for slo in spec["slos"]]
