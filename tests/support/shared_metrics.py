"""Processes that share a folder, driven line by line, and the files that prometheus_client would write."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.parser import text_string_to_metric_families

PROGRAM = """
import json, logging, os, sys
logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
EARLY
import sereno_telemetry
from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from sereno_telemetry.metrics.health import health_of
from sereno_telemetry.metrics.scraping import scrape
from sereno_telemetry.processes.group import current_group

orders = Counter("orders_total", "Orders.", ["kind"])
busy = Gauge("busy", "Busy.", multiprocess_mode="livesum")
took = Histogram("took_seconds", "Took.", buckets=(0.1, 1))
health_of(REGISTRY)

def text(accept="text/plain"):
    return scrape(REGISTRY, accept)[0].decode()

for line in sys.stdin:
    try:
        answer = eval(line)
    except SyntaxError:
        answer = exec(line)
    print(json.dumps(answer if isinstance(answer, (str, int, float, bool, type(None))) else None), flush=True)
"""

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Worker:
    """A process that makes metrics and does what it is told; gone with the test."""

    def __init__(self, folder: Path | None, early: str, stderr: Path) -> None:
        variables = {key: value for key, value in os.environ.items() if not key.startswith("PROMETHEUS_")}
        variables |= {} if folder is None else {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
        variables["PYTHONPATH"] = str(Path(__file__).parents[1])  # this module, for `early`
        self._stderr = stderr
        with stderr.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM.replace("EARLY", early)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=variables,
            )
        self.pid = self.process.pid

    def do(self, line: str) -> Any:
        """Let it evaluate an expression, or carry out one line of statements."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, self.log()
        return json.loads(answer)

    def shown(self) -> Samples:
        """What it answers to a scrape."""
        return samples(self.do("text()"))

    def kill(self) -> Self:
        """End it as the kernel does when memory is short."""
        self.process.kill()
        self.process.communicate(timeout=10)
        return self

    def log(self) -> str:
        """What it has written to stderr."""
        return self._stderr.read_text()


def samples(text: str) -> Samples:
    """The samples of the plain text format."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def key(name: str, **labels: str) -> str:
    """How a counter's sample is called in a file."""
    return str(mmap_key(name.removesuffix("_total"), name, list(labels), list(labels.values()), "Help."))


def write(path: Path, values: dict[str, float], timestamp: float = 0.0) -> None:
    """Write a file as prometheus_client does, key by key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = MmapedDict(str(path))  # type: ignore[no-untyped-call]
    for name, value in values.items():
        file.write_value(name, value, timestamp)  # type: ignore[no-untyped-call]
    file.close()  # type: ignore[no-untyped-call]
