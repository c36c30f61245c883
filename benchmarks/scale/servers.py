"""The Prometheus servers of a run: what each scrapes, evaluates and writes away."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from benchmarks.simulation import Server
from benchmarks.simulation.server import free_port, serving

SCRAPE_INTERVAL = "15s"


@dataclass(frozen=True, slots=True)
class Write:
    """Where a server's raw samples go; what it recorded itself stays with it."""

    url: str
    drops_replica: bool = False
    """Without the label a receiver can't tell the replicas apart."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One Prometheus; it can be started again on its data."""

    folder: Path
    program: str
    rules: Mapping[str, str] = field(default_factory=dict)
    """Rule files by their service."""
    target: str = ""
    """What it scrapes; a receiver scrapes nothing."""
    replica: str = ""
    writes: Sequence[Write] = ()


@contextmanager
def running(plan: Plan) -> Iterator[Server]:
    """The server, on a free port, until the block is left."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    for service, text in plan.rules.items():
        (plan.folder / f"{service}.rules.yaml").write_text(text, encoding="utf-8")
    (plan.folder / "prometheus.yml").write_text(configuration(plan), encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    # The second at which a group is evaluated comes from its name and its file's path. Within its own folder each
    # replica has the same path, as replicas have it that are deployed alike.
    command = [
        *("env", "-C", str(plan.folder), plan.program),
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        f"--web.listen-address={address}",
        "--web.enable-remote-write-receiver",
        "--log.level=warn",
    ]
    with serving(command, address, plan.folder / "prometheus.log") as server:
        yield server


def configuration(plan: Plan) -> str:
    """Its prometheus.yml."""
    document: dict[str, object] = {
        "global": {
            "scrape_interval": SCRAPE_INTERVAL,
            "evaluation_interval": "1m",
            **({"external_labels": {"replica": plan.replica}} if plan.replica else {}),
        },
        "rule_files": [f"{service}.rules.yaml" for service in plan.rules],
    }
    if plan.target:
        document["scrape_configs"] = [{"job_name": "api", "static_configs": [{"targets": [plan.target]}]}]
    if plan.writes:
        document["remote_write"] = [_remote_write(write) for write in plan.writes]
    text: str = yaml.safe_dump(document, sort_keys=False)
    return text


def _remote_write(write: Write) -> dict[str, object]:
    raw_only = {"source_labels": ["__name__"], "regex": "sereno.*|ALERTS.*", "action": "drop"}
    without_replica = {"regex": "replica", "action": "labeldrop"}
    return {
        "url": write.url,
        "write_relabel_configs": [raw_only, *([without_replica] if write.drops_replica else [])],
    }
