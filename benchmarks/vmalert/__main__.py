"""`python -m benchmarks.vmalert`: steady traffic of known size for some minutes, and what was recorded of it."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import orjson
from rich.console import Console
from rich.table import Table
from sereno_slo import RuleFormat, Settings, SourceFile, validate_specs
from sereno_slo.duration import Duration
from sereno_slo.render.engine_rules import render_engine_rules

from benchmarks.simulation import VICTORIA_METRICS, Server, find_prometheus
from benchmarks.simulation.server import free_port, serving

SPEC = """
version: sereno/v1
service: api
owner: team
slos:
  - name: calls
    objective: 99.9
    indicator: {ratio: {metric: requests_total, match: 'job="api"', bad: 'code="500"'}}
"""
SCRAPE_SECONDS = 15
GOOD_A_MINUTE, BAD_A_MINUTE = 60, 6
_DAY_SECONDS = 86_400
RECORDED = {
    "sereno:events:delta1m": "66, at each evaluation",
    "sereno:coverage:delta1m": "1, at each evaluation",
    "sereno:events:5m": "330, from the fifth entry on",
    "sereno:error_ratio:5m": "0.0909, from the first entry on",
    "sereno:events:sum5m": "330, from the second on",
    "sereno:events:window": "the sum of the line above",
}


@click.command(context_settings={"max_content_width": 110})
@click.option("--minutes", default=17.0, show_default=True, help="How long; three roll-ups need a quarter of an hour.")
@click.option("--latency-offset", metavar="DURATION", help="VictoriaMetrics' -search.latencyOffset [its default: 30s].")
@click.option("--delay", metavar="DURATION", help="sereno.yaml's evaluation_delay [none].")
def main(minutes: float, latency_offset: str | None, delay: str | None) -> None:
    """Run VictoriaMetrics and vmalert side by side, feed one target, and print what the rules recorded.

    \b
    Examples:
      python -m benchmarks.vmalert
      python -m benchmarks.vmalert --minutes 10 --latency-offset 0s --delay 1m
    """  # noqa: D301 - \b is click's
    settings = Settings(evaluation_delay=Duration.parse(delay) if delay else None)
    (service,) = validate_specs([SourceFile("api.slo.yaml", SPEC)], settings).services
    with tempfile.TemporaryDirectory(prefix="sereno-vmalert-") as name:
        folder = Path(name)
        rules = folder / "api.rules.yaml"
        rules.write_text(render_engine_rules(service, settings, RuleFormat.VMALERT)[0].content, encoding="utf-8")
        further = [f"-search.latencyOffset={latency_offset}"] if latency_offset else []
        with _storage(folder, further) as storage, _vmalert(rules, storage.url, folder):
            _feed(storage, minutes)
            _print(storage)


@contextmanager
def _storage(folder: Path, further: list[str]) -> Iterator[Server]:
    address = f"127.0.0.1:{free_port()}"
    places = [f"-storageDataPath={folder / 'data'}", f"-httpListenAddr={address}", "-memory.allowedPercent=5"]
    with serving([find_prometheus(VICTORIA_METRICS), *places, *further], address, folder / "storage.log") as server:
        yield server


@contextmanager
def _vmalert(rules: Path, storage: str, folder: Path) -> Iterator[None]:
    command = [
        find_prometheus("vmalert"),
        f"-rule={rules}",
        f"-datasource.url={storage}",
        f"-remoteWrite.url={storage}",
        f"-httpListenAddr=127.0.0.1:{free_port()}",
        f"-notifier.url=http://127.0.0.1:{free_port()}",  # nobody listens: alerts aren't what is looked at
    ]
    with (folder / "vmalert.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _feed(storage: Server, minutes: float) -> None:
    """One target, scraped every 15 s, whose process began a day ago."""
    begin = time.time()
    for scrape in range(int(minutes * 60 / SCRAPE_SECONDS)):
        now, share = time.time(), scrape * SCRAPE_SECONDS / 60
        samples = {
            'up{job="api",instance="a"}': 1,
            'process_start_time_seconds{job="api",instance="a"}': begin - _DAY_SECONDS,
            'requests_total{job="api",instance="a",code="200"}': 1000 + int(GOOD_A_MINUTE * share),
            'requests_total{job="api",instance="a",code="500"}': 10 + int(BAD_A_MINUTE * share),
        }
        lines = "\n".join(f"{series} {value} {int(now * 1000)}" for series, value in samples.items())
        storage.post("import/prometheus", content=lines).raise_for_status()
        time.sleep(max(0.0, begin + (scrape + 1) * SCRAPE_SECONDS - time.time()))


def _print(storage: Server) -> None:
    table = Table("recorded", "in Prometheus", "values, in order")
    for name, expected in RECORDED.items():
        answer = storage.http.get(f"{storage.url}/api/v1/export", params={"match[]": name})
        values = [value for line in answer.text.splitlines() for value in orjson.loads(line)["values"]]
        table.add_row(name, expected, " ".join(f"{value:.4g}" for value in values) or "nothing")
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
