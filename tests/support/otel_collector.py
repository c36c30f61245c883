"""The real OpenTelemetry Collector, where scripts/fetch-otel-collector has built it: no Elasticsearch exporter."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.slo_specs import REPOSITORY

CONFIGURATION = REPOSITORY / "collectors/otel/collector.yaml"


def _built() -> list[str]:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return sorted(str(path) for path in cache.glob("sereno/otel-collector-v*/otelcol-sereno"))


COLLECTOR = next(iter(reversed(_built())), None)
needs_collector = pytest.mark.skipif(
    COLLECTOR is None, reason="there is no OpenTelemetry Collector: make otel-collector builds it (needs Go)"
)


def configuration_into(sink_url: str, otlp_port: int) -> dict[str, Any]:
    """The project's configuration with an OTLP sink in the place of Elasticsearch, behind the same queue."""
    configuration: dict[str, Any] = yaml.safe_load(CONFIGURATION.read_text("utf-8"))
    queue = configuration["exporters"].pop("elasticsearch")["sending_queue"]
    configuration["exporters"]["otlp_http"] = {
        "endpoint": sink_url,
        "encoding": "json",
        "compression": "none",
        "sending_queue": queue,
        "retry_on_failure": {"initial_interval": "200ms", "max_interval": "500ms", "max_elapsed_time": 0},
    }
    for pipeline in configuration["service"]["pipelines"].values():
        pipeline["exporters"] = ["otlp_http"]
    configuration["service"]["telemetry"] = {"metrics": {"level": "none"}}
    configuration["receivers"]["otlp"]["protocols"]["http"]["endpoint"] = f"127.0.0.1:{otlp_port}"
    return configuration


@contextmanager
def running_collector(configuration: dict[str, Any], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run it over `folder/logs/*.log`, with its state in `folder/state`; killed at the end."""
    assert COLLECTOR is not None
    path = folder / "collector.yaml"
    path.write_text(yaml.safe_dump(configuration))
    environment = os.environ | {
        "SERENO_LOG_FILES": str(folder / "logs/*.log"),
        "SERENO_STATE_FOLDER": str(folder / "state"),
    }
    with (folder / "collector.err").open("ab") as errors:
        process = subprocess.Popen([COLLECTOR, f"--config={path}"], env=environment, stdout=errors, stderr=errors)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)
