"""`python -m benchmarks.exporters.rabbitmq [--queues N] [--scrapes N]`: 1 where a promise is missed.

`sereno exporter rabbitmq` before a real broker with many queues, beside the broker's own plugin. In each round, one
after another: the broker's own time for the listing that the exporter reads, the exporter's scrape, and what the plugin
serves: all objects one by one, and only the queues. Under a minute.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from sereno_exporters.queues.rabbitmq.fetch import COLUMNS

from benchmarks.exporters.broker import Broker, busy_queues, free_port, listens, running_broker

SECONDS = 0.5
"""A scrape's promise, with 10,000 series."""
CONFIGURATION = """\
version: sereno/v1
exporters:
  rabbitmq:
    series_limit: 1000000
    targets:
      busy: {{url: "{url}", username_file: guest, password_file: guest}}
"""
OWN = "sereno exporter rabbitmq"
LISTING = "the broker's listing of queues, within it"


def main() -> int:
    """Measure all, taking turns scrape by scrape."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exporters.rabbitmq", description=__doc__)
    parser.add_argument("--queues", type=int, default=1_200)
    parser.add_argument("--scrapes", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running_broker(folder) as broker, busy_queues(broker, arguments.queues), _exporter(folder, broker) as port:
            addresses = {
                LISTING: f"{broker.management_url}/api/queues?columns={COLUMNS}",
                OWN: f"http://127.0.0.1:{port}/metrics",
                "its plugin, /metrics/per-object": f"{broker.metrics_url}/metrics/per-object",
                "its plugin, /metrics/detailed, queues only": f"{broker.metrics_url}/metrics/detailed?"
                "family=queue_coarse_metrics&family=queue_consumer_count&family=channel_queue_metrics",
            }
            return _report(_rounds(addresses, arguments), arguments)


def _rounds(addresses: dict[str, str], arguments: argparse.Namespace) -> dict[str, tuple[list[float], int]]:
    """Seconds of each, and how many series its answer has; 0: it isn't made of series."""
    seconds: dict[str, list[float]] = {name: [] for name in addresses}
    series = dict.fromkeys(addresses, 0)
    with httpx.Client(trust_env=False, timeout=60, auth=("guest", "guest")) as client:
        for _ in range(arguments.scrapes):
            for name, url in addresses.items():
                begun = time.monotonic()
                answer = client.get(url).raise_for_status()
                seconds[name].append(time.monotonic() - begun)
                if name == OWN:
                    told = answer.text.count("\nsereno_rabbitmq_queue_ready_messages{")
                    assert told == arguments.queues + 1, "a scrape that leaves something out is not fast"
                if name != LISTING:
                    series[name] = sum(line[:1] not in ("", "#") for line in answer.text.splitlines())
    return {name: (seconds[name], series[name]) for name in addresses}


def _report(found: dict[str, tuple[list[float], int]], arguments: argparse.Namespace) -> int:
    what = f"{arguments.queues} queues, {arguments.scrapes} scrapes"
    print(f"{what:<44} {'median s':>9} {'least s':>8} {'series':>7}")
    for name, (seconds, series) in found.items():
        print(f"{name:<44} {statistics.median(seconds):>9.3f} {min(seconds):>8.3f} {series or '':>7}")
    own, listing = (statistics.median(found[name][0]) for name in (OWN, LISTING))
    print(
        f"{own - listing:.3f} s are not the broker's listing; at most {SECONDS} s in all are promised for 10,000 series"
    )
    return int(own > SECONDS)


@contextmanager
def _exporter(folder: Path, broker: Broker) -> Iterator[int]:
    port = free_port()
    (folder / "exporters.yaml").write_text(CONFIGURATION.format(url=broker.management_url))
    (folder / "guest").write_text("guest\n")
    command = [str(Path(sys.executable).with_name("sereno")), "exporter", "rabbitmq", "--port", str(port)]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    try:
        while not listens(port):
            if process.poll() is not None:
                raise SystemExit(f"{command[0]} ended with {process.returncode}")
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(20)


if __name__ == "__main__":
    sys.exit(main())
