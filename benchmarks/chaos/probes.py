"""Alerts that fire by a timetable: a gauge that this process serves, a rule on it, and which of them were on when."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import yaml
from prometheus_client import CollectorRegistry, Gauge, start_http_server

SERVICE = "chaos"
JOB = "chaos-probes"
_GAUGE = "chaos_probe_wanted"
_RULES = {
    "groups": [
        {
            "name": "chaos-probes",
            "interval": "5s",
            "rules": [
                {
                    "alert": "ChaosProbe",
                    "expr": f"{_GAUGE} == 1",
                    "labels": {"severity": "critical", "service": SERVICE, "owner": "sre"},
                    "annotations": {"summary": "probe {{ $labels.slo }}"},
                }
            ],
        }
    ]
}


@dataclass(frozen=True, slots=True)
class Probe:
    """One time of firing; in seconds since the run's begin."""

    name: str
    on: float
    off: float


_ON_SECONDS = 110.0
"""Prometheus tells Alertmanager of an alert when it begins, and again each minute (`--rules.alert.resend-delay`); what
didn't arrive it doesn't try again before. With the longest outage and a restart in between this is long enough."""


def timetable(seconds: float, seed: int) -> tuple[Probe, ...]:
    """About one each half minute. Each is on for so long that missing it would be a loss.

    They overlap, and the last ends with the run.
    """
    chance = Random(f"{seed}/probes")
    count = max(2, int(seconds / 30))
    lasts = min(_ON_SECONDS, seconds - 10.0)
    starts = [5.0 + (seconds - lasts - 5.0) * number / (count - 1) for number in range(count)]
    return tuple(
        Probe(f"probe-{number}", at, min(seconds, at + lasts + chance.uniform(0.0, 30.0)))
        for number, at in enumerate(starts)
    )


class Probes:
    """Serves the gauge, and switches it by the timetable."""

    def __init__(self, planned: Sequence[Probe]) -> None:
        self.planned = tuple(planned)
        registry = CollectorRegistry()
        self._gauge = Gauge(_GAUGE, "1 while the probe is to fire.", ["slo"], registry=registry)
        for probe in planned:
            self._gauge.labels(probe.name).set(0)
        self._registry = registry

    @contextmanager
    def served(self) -> Iterator[int]:
        """At a port of this machine, until the block is left."""
        server, thread = start_http_server(0, addr="127.0.0.1", registry=self._registry)
        try:
            yield server.server_port
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def run(self) -> threading.Thread:
        """Begin with the timetable."""
        thread = threading.Thread(target=self._switch, name="probes")
        thread.start()
        return thread

    def _switch(self) -> None:
        begun = time.monotonic()
        changes = [(probe.on, 1, probe) for probe in self.planned] + [(probe.off, 0, probe) for probe in self.planned]
        for at, value, probe in sorted(changes, key=lambda change: change[:2]):
            time.sleep(max(0.0, begun + at - time.monotonic()))
            self._gauge.labels(probe.name).set(value)


def write_rules(folder: Path) -> Path:
    """The rules' file."""
    path = folder / "chaos.rules.yaml"
    path.write_text(yaml.safe_dump(_RULES), encoding="utf-8")
    return path
