"""Real Prometheus, real Alertmanager, real receiver: a rule fires, an incident comes and goes, its draft knows why."""

import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
from sereno_backends.prometheus import PrometheusClient
from sereno_postmortems.draft import Logs, Measured, gather, open_metrics, render_draft
from sereno_postmortems.sources import HttpIncidents, find_incident
from support.alertmanager import running_alertmanager
from support.incidents import running_receiver, webhook_config
from support.prometheus import running_prometheus
from support.waiting import wait_for

RULES = """
groups:
  - name: burn
    interval: 1s
    rules:
      - alert: SLOErrorBudgetBurn
        expr: vector(time()) > {begin} and vector(time()) < {end}
        for: 3s
        labels: {{service: transactions-api, slo: availability, severity: critical, owner: payments}}
        annotations: {{summary: "burning"}}
      - alert: Watchdog
        expr: vector(1)
        labels: {{severity: none}}
"""
CONFIG = """
global:
  external_labels: {{cluster: here}}
rule_files: [rules.yml]
alerting:
  alertmanagers: [{{static_configs: [{{targets: ["{target}"]}}]}}]
"""


def test_a_rule_that_fires_becomes_an_incident_with_its_pending_time(tmp_path: Path) -> None:
    """Pending, firing, notification and resolution of a real alert are in the draft, the Watchdog is in none."""
    with running_receiver(tmp_path / "incidents.sqlite") as receiver:
        config = webhook_config(tmp_path, f"{receiver.url}/api/v1/alertmanager")
        prometheus = tmp_path / "prometheus"
        with (
            running_alertmanager(config, tmp_path / "alertmanager") as alertmanager,
            running_prometheus(
                prometheus,
                config=CONFIG.format(target=alertmanager.url.removeprefix("http://")),
                flags=["--rules.alert.resend-delay=1s"],  # the first alerts are lost while it looks for Alertmanager
            ) as server,
            PrometheusClient(server.url) as client,
        ):
            # Loaded now: of rules that it starts with, Prometheus doesn't record the first evaluations.
            begin = time.time() + 2
            (prometheus / "rules.yml").write_text(RULES.format(begin=begin, end=begin + 8), encoding="utf-8")
            server.process.send_signal(signal.SIGHUP)
            source = HttpIncidents(receiver.url)
            wait_for(source.incidents, what="the page on record")
            wait_for(lambda: source.incidents()[0].resolved_at, what="the resolution on record")
            incident = find_incident(source, "latest")
            now = datetime.now(UTC)
            metrics = open_metrics(client, now)
            evidence = gather(incident, source.name, metrics, Logs(None, "x"), now=now, progress=lambda _: None)
            counted = httpx.get(f"{receiver.url}/metrics", trust_env=False).text
    assert incident.incident_id == f"{incident.opened_at:%Y-%m-%d}-transactions-api-availability"
    assert incident.alerts[0].labels["cluster"] == "here"  # external labels aren't in Prometheus's own series
    pending = evidence.alerts.pending
    assert isinstance(pending, Measured)
    assert len(pending.value) == 1
    waited = incident.opened_at - pending.value[0].since
    assert 2.9 <= waited.total_seconds() <= 5
    assert incident.resolved_at is not None
    assert abs(incident.resolved_at.timestamp() - (begin + 8)) < 3
    assert "Alert pending: SLOErrorBudgetBurn" in render_draft(evidence)
    assert 'deliveries_total{outcome="watchdog"} 0.0' not in counted
