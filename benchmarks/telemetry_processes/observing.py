"""What one observation costs, in memory and in shared files; each in a process of its own, in turns."""

import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass

OBSERVATIONS = 20_000

_PROGRAM = """
import sys, time
from prometheus_client import CollectorRegistry
from sereno_telemetry.metrics.families import HistogramFamily

family = HistogramFamily(CollectorRegistry(), "took_seconds", "Took.", {"route": None}, (.005, .01, .05, .1, .5, 1, 5))
child, trace = family.child("/a"), sys.argv[2] or None
for _ in range(1000):
    child.observe(0.02, trace)
started = time.process_time()
for _ in range(int(sys.argv[1])):
    child.observe(0.02, trace)
print((time.process_time() - started) / int(sys.argv[1]) * 1e6)
"""


@dataclass(frozen=True, slots=True)
class Observation:
    """Processor time of one observation."""

    where: str
    traced: bool
    microseconds: float


def measure(runs: int, observations: int = OBSERVATIONS) -> list[Observation]:
    """The median of `runs` processes of each variant."""
    found: dict[tuple[str, bool], list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="sereno-processes-") as folder:
        for run in range(runs):
            for where in ("in memory", "shared"):
                for traced in (False, True):
                    shared = {"PROMETHEUS_MULTIPROC_DIR": f"{folder}/{run}"} if where == "shared" else {}
                    found.setdefault((where, traced), []).append(_one(observations, shared, traced=traced))
    return [
        Observation(where, traced, statistics.median(microseconds)) for (where, traced), microseconds in found.items()
    ]


def _one(observations: int, environment: dict[str, str], *, traced: bool) -> float:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PROMETHEUS_")}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(observations), "ab" * 16 if traced else ""],
        env=clean | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return float(done.stdout)
