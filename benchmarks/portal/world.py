"""A repository with many SLOs, what their rules would have recorded until now, and the portal as a process."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
from sereno_slo.plan import series

from benchmarks.simulation.remote_write import Series
from benchmarks.simulation.server import free_port

SLOS_OF_A_SERVICE = 10
OBJECTIVE_PERCENT = 99.9
IN_TROUBLE_EVERY = 50
"""Of the SLOs every so manieth is overspent, and pages."""
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "window")
_START_SECONDS = 60.0
_HOUR, _DAY = 3_600, 86_400
_LONG_PAST_DAYS = 30


def write_specs(root: Path, slos: int) -> None:
    """Specs of ten SLOs each; the last service has what is left."""
    folder = root / "slo" / "specs"
    folder.mkdir(parents=True)
    for first in range(0, slos, SLOS_OF_A_SERVICE):
        service = service_of(first)
        lines = ["version: sereno/v1", f"service: {service}", f"owner: team-{first // SLOS_OF_A_SERVICE % 20}", "slos:"]
        for number in range(first, min(first + SLOS_OF_A_SERVICE, slos)):
            total, bad = (f"'{what}_{number}_total{{job=\"{service}\"}}'" for what in ("events", "bad"))
            lines += [
                f"  - name: {name_of(number)}",
                f"    objective: {OBJECTIVE_PERCENT}",
                "    impact: Somebody waits",
                f"    indicator: {{ratio: {{total: {total}, bad: {bad}}}}}",
            ]
        (folder / f"{service}.slo.yaml").write_text("\n".join([*lines, ""]), encoding="utf-8")


def service_of(number: int) -> str:
    """The service of an SLO."""
    return f"service-{number // SLOS_OF_A_SERVICE:03d}"


def name_of(number: int) -> str:
    """The SLO's own name."""
    return f"slo-{number % SLOS_OF_A_SERVICE}"


def recorded(slos: int, now: float) -> Iterator[Series]:
    """An hour of everything, what was a day ago, and thirty days of the first service."""
    recent = _moments(now - _HOUR, now, 300)
    yesterday = _moments(now - _DAY - 600, now - _DAY, 300)
    long = _moments(now - _LONG_PAST_DAYS * _DAY, now - _HOUR - 300, 3_600)
    for number in range(slos):
        labels = {"service": service_of(number), "slo": name_of(number)}
        is_spent = number % IN_TROUBLE_EVERY == 0
        for name, value in _figures(spent_ratio=1.2 if is_spent else number % 100 / 100).items():
            moments = np.concatenate([long, recent] if number < SLOS_OF_A_SERVICE else [yesterday, recent])
            yield Series({"__name__": name, **labels}, moments, np.full(len(moments), value))
        if is_spent:
            page = {"alertname": "SLOErrorBudgetBurn", "severity": "critical", "burn": "fast", "long_window": "1h"}
            minutes = _moments(now - _HOUR, now, 60)
            ones = np.ones(len(minutes))
            yield Series({"__name__": "ALERTS", "alertstate": "firing", **page, **labels}, minutes, ones)
            yield Series({"__name__": "ALERTS_FOR_STATE", **page, **labels}, minutes, ones * (now - _HOUR))


def _figures(*, spent_ratio: float) -> dict[str, float]:
    error_ratio = spent_ratio * (1 - OBJECTIVE_PERCENT / 100)
    return {
        series.BUDGET_REMAINING: 1 - spent_ratio,
        series.COVERAGE: 0.99,
        series.OBJECTIVE: OBJECTIVE_PERCENT / 100,
        series.WINDOW: _LONG_PAST_DAYS * _DAY,
        series.EVENTS_ENTRY: 600.0,
        series.BAD_EVENTS_ENTRY: 600 * error_ratio,
        **{f"sereno:error_ratio:{window}": error_ratio for window in WINDOWS},
        **{f"sereno:events:{window}": 1e6 for window in WINDOWS},
        **{f"sereno:bad_events:{window}": 1e6 * error_ratio for window in WINDOWS},
    }


def _moments(start: float, end: float, step: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Up to the very end, so that the newest sample is of now."""
    count = int((end - start) // step) + 1
    return np.array([round((end - step * index) * 1000) for index in reversed(range(count))], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Portal:
    """`sereno portal`, which answers."""

    client: httpx.Client
    pid: int
    started_seconds: float
    """From its start to its first answer."""

    @property
    def processor_seconds(self) -> float:
        """What its process has used of the processor since its start: it doesn't wait for others, as a clock does."""
        used = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()[11:13]
        return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def portal(root: Path, prometheus: str) -> Iterator[Portal]:
    """The portal as a process of its own, gone when the block is left."""
    port = free_port()
    run = "from sereno_cli.main import main; main()"
    command = [sys.executable, "-c", run, "portal", "--root", str(root), "--prometheus", prometheus]
    begun = time.monotonic()
    process = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
            _wait(client, process, begun)
            yield Portal(client, process.pid, time.monotonic() - begun)
    finally:
        process.terminate()
        process.wait(_START_SECONDS)


def _wait(client: httpx.Client, process: "subprocess.Popen[bytes]", begun: float) -> None:
    while True:
        try:
            client.get("/health").raise_for_status()
        except httpx.HTTPError:
            if process.poll() is not None or time.monotonic() - begun > _START_SECONDS:
                raise
            time.sleep(0.05)
        else:
            return
