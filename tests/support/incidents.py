"""Webhook bodies as Alertmanager sends them, and a real `sereno incidents serve` process."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from support.ports import free_port
from support.prometheus import RunningProcess, running

GO_ZERO_TIME = "0001-01-01T00:00:00Z"
SLO = {"service": "transactions-api", "slo": "availability"}
PAGE = {"alertname": "SLOErrorBudgetBurn", "severity": "critical", "owner": "payments", **SLO}
TICKET = {**PAGE, "severity": "warning"}


def at(hours: int, minutes: int = 0, seconds: int = 0) -> datetime:
    """A moment of the day on which the incidents of tests happen."""
    return datetime(2026, 11, 22, hours, minutes, seconds, tzinfo=UTC)


def reported(
    labels: Mapping[str, str],
    starts_at: datetime,
    ends_at: datetime | None = None,
    *,
    annotations: Mapping[str, str] | None = None,
    fingerprint: str | None = None,
) -> dict[str, Any]:
    """One alert of a webhook body; resolved if it has an end. The fingerprint follows from the labels."""
    return {
        "status": "firing" if ends_at is None else "resolved",
        "labels": dict(labels),
        "annotations": dict(annotations or {"summary": "burning"}),
        "startsAt": starts_at.isoformat(),
        "endsAt": GO_ZERO_TIME if ends_at is None else ends_at.isoformat(),
        "generatorURL": "http://prometheus.invalid/graph",
        "fingerprint": fingerprint or sha256(json.dumps(dict(labels), sort_keys=True).encode()).hexdigest()[:16],
    }


def webhook(alerts: Sequence[Mapping[str, Any]], /, **changes: Any) -> dict[str, Any]:
    """A whole webhook body of version 4 around alerts of the SLO."""
    firing = any(alert["status"] == "firing" for alert in alerts)
    return {
        "version": "4",
        "groupKey": '{}:{service="transactions-api", slo="availability"}',
        "truncatedAlerts": 0,
        "status": "firing" if firing else "resolved",
        "receiver": "incidents",
        "groupLabels": SLO,
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.invalid",
        "alerts": list(alerts),
        **changes,
    }


def prometheus_alert(
    labels: Mapping[str, str],
    starts_at: datetime,
    ends_at: datetime | None = None,
    *,
    annotations: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """An alert as Prometheus posts it to Alertmanager; without an end it fires on."""
    body: dict[str, Any] = {
        "labels": dict(labels),
        "annotations": dict(annotations or {}),
        "startsAt": starts_at.isoformat(),
        "generatorURL": "http://prometheus.invalid/graph",
    }
    return body if ends_at is None else body | {"endsAt": ends_at.isoformat()}


def webhook_config(directory: Path, url: str, *, group_interval: str = "1s") -> Path:
    """A configuration of Alertmanager that sends everything to one webhook, grouped by service and SLO."""
    path = directory / "alertmanager.yml"
    path.write_text(
        f"""\
route:
  receiver: incidents
  group_by: [service, slo]
  group_wait: 100ms
  group_interval: {group_interval}
  repeat_interval: 1h
receivers:
  - name: incidents
    webhook_configs:
      - url: {url}
        send_resolved: true
""",
        encoding="utf-8",
    )
    return path


@contextmanager
def running_receiver(
    database: Path, *options: str | Path, port: int | None = None, login: str = ""
) -> Iterator[RunningProcess]:
    """A healthy `sereno incidents serve` in a process of its own, gone when the block is left.

    Its address holds the `login` (`name:password@`), where one is given.
    """
    chosen = port or free_port()
    serve = "from sereno_cli.main import main; main()"
    command = [sys.executable, "-c", serve, "incidents", "serve", "--port", str(chosen), "--database", str(database)]
    command += map(str, options)
    url = f"http://{login}127.0.0.1:{chosen}"
    with running(command, url=url, log=database.with_suffix(".log"), ready_path="/health") as server:
        yield server
