"""What queries of runbooks and rules by hand name, really exists."""

import re
import subprocess
import time
from pathlib import Path

import httpx
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from sereno_backends.logs.health.model import DiskForecast
from sereno_backends.logs.health.watermarks import WatermarkName
from sereno_collectors.logs import CollectorMetrics
from sereno_collectors.logs.housekeeping import Chores, Housekeeping, HousekeepingMetrics
from sereno_collectors.logs.messages import MessageMetrics
from sereno_collectors.logs.model import Document
from sereno_collectors.logs.queue import QueueState
from sereno_postmortems.receiver_metrics import ReceiverMetrics
from sereno_postmortems.store import IncidentStore
from support.alertmanager import running_alertmanager
from support.prometheus import running_prometheus
from support.runbook_queries import of_alerts, of_slos, queries
from support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
QUERIES = [query.content for path in [*of_alerts(), *of_slos()] for query in queries(path)]


def test_recorded_series_exist() -> None:
    """Every series of Sereno's that a runbook names is one that rules record, compiled ones or those by hand."""
    rule_files = (ROOT / "alerting/rules").glob("*/*.rules.yaml")
    recorded = {
        rule["record"]
        for path in rule_files
        for group in yaml.load(path.read_text(), Loader=yaml.CSafeLoader)["groups"]
        for rule in group["rules"]
        if "record" in rule
    }
    named = {name for query in QUERIES for name in re.findall(r"sereno\w*:[\w:]+|sereno_slo_\w+", query)}
    assert named
    assert named - recorded == set()


def test_metrics_of_the_machinery_exist(tmp_path: Path) -> None:
    """Each metric of Prometheus and Alertmanager that a rule or runbook names, theirs really expose."""
    texts = [*QUERIES, *(p.read_text() for p in (ROOT / "alerting/rules/handwritten").glob("*.yaml"))]
    named = {name for text in texts for name in re.findall(r"\b(?:prometheus|alertmanager)_\w+", text)}
    assert named
    silent = tmp_path / "alertmanager.yml"
    silent.write_text("route: {receiver: nowhere}\nreceivers: [{name: nowhere}]\n")
    with (
        running_alertmanager(silent, tmp_path / "alertmanager", in_cluster=True) as alertmanager,
        running_prometheus(tmp_path / "far", flags=["--web.enable-remote-write-receiver"]) as far,
    ):
        host = alertmanager.url.removeprefix("http://")
        rules = ROOT / "alerting/rules/handwritten/paging.rules.yaml"
        target = {"url": f"{far.url}/api/v1/write", "queue_config": {"batch_send_deadline": "1s"}}
        config = {
            "global": {"evaluation_interval": "1s"},
            "rule_files": [str(rules)],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [host]}]}]},
            "remote_write": [target],
        }
        flags = ["--rules.alert.resend-delay=1s"]  # the first attempt comes before Alertmanager is known
        with running_prometheus(tmp_path / "prometheus", config=yaml.safe_dump(config), flags=flags) as server:
            wait_for(alertmanager.alerts, what="the Watchdog at Alertmanager")
            exposed = exposed_names(alertmanager.url)
            wait_for(
                lambda: named <= exposed | exposed_names(server.url),
                what=f"all of {sorted(named)}",
                timeout_seconds=15,
            )


def test_metrics_of_the_collector_exist() -> None:
    """Each metric of the log collector that a rule or runbook names, with its `outcome`, it really exposes."""
    texts = [*QUERIES, *(p.read_text() for p in (ROOT / "alerting/rules/handwritten").glob("*.yaml"))]
    form = r'sereno_(?:collector|log)_\w+(?:\{outcome="\w+"\})?'
    named = {name for text in texts for name in re.findall(form, re.sub(r"sereno_collectors/\S+", "", text))}
    registry = CollectorRegistry()
    figures = QueueState(documents=0, size_bytes=0, limit_bytes=1, oldest_queued_at=None)
    CollectorMetrics(registry, time.time).show_queue(lambda: figures, lambda: 0, lambda: 0)
    seen = DiskForecast("n1", 9, 5, None, {WatermarkName.FLOOD_STAGE: 1.0}, {WatermarkName.FLOOD_STAGE: 1})
    chores = Chores(lambda: (seen,), lambda: None)
    Housekeeping(chores, HousekeepingMetrics(registry, time.time, chores), print).tidy()
    messages = MessageMetrics()
    messages.observe([Document("id", "logs-app-default", b'{"log.level":"error"}', "checkout", "", 0, "")])
    registry.register(messages)
    series = [line.split(" ")[0] for line in generate_latest(registry).decode().splitlines()]
    labelled = ("_store_disk_", "_housekeeping_", "sereno_log_")
    exposed = {*series, *(one.partition("{")[0] for one in series if any(part in one for part in labelled))}
    assert named
    assert named - exposed == set()


def test_metrics_of_the_incident_receiver_exist(tmp_path: Path) -> None:
    """Each metric of the receiver that a rule or runbook names, with each of its outcomes, it really exposes."""
    texts = [*QUERIES, (ROOT / "alerting/rules/handwritten/incidents.rules.yaml").read_text()]
    named = {name for text in texts for name in re.findall(r"sereno_incident_\w+", text)}
    outcomes = {
        word
        for text in texts
        for found in re.findall(r'webhook_deliveries_total{outcome=~?"([^"]+)', text)
        for word in found.split("|")
    }
    store = IncidentStore(tmp_path / "incidents.sqlite")
    store.prepare()
    text = generate_latest(ReceiverMetrics(store, CollectorRegistry()).registry).decode()
    assert len(named) == 3
    assert named - set(re.findall(r"^(\w+)[{ ]", text, re.MULTILINE)) == set()
    assert outcomes == {"unavailable", "invalid", "too_large", "foreign_origin"}
    assert outcomes - set(re.findall(r'deliveries_total{outcome="(\w+)"', text)) == set()


def exposed_names(url: str) -> set[str]:
    """The names of all metrics on a server's /metrics."""
    text = httpx.get(f"{url}/metrics", timeout=10, trust_env=False).raise_for_status().text
    return set(re.findall(r"^(\w+)[{ ]", text, re.MULTILINE))


def test_amtool_commands_of_runbooks_are_accepted() -> None:
    """Each amtool call of a runbook is understood: it fails for want of a server, not for its arguments."""
    text = "\n".join(path.read_text() for path in (ROOT / "runbooks").glob("*.md"))
    calls = re.findall(r"^ *(amtool (?:alert|silence) .*)$", text, re.MULTILINE)
    assert calls
    for call in calls:
        unreachable = call.replace("localhost:9093", "127.0.0.1:9")
        ran = subprocess.run(["bash", "-c", unreachable], capture_output=True, text=True, check=False)
        assert "connection refused" in ran.stderr, (call, ran.stderr)
