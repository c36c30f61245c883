"""`python -m benchmarks.backtest`: a month of a service replayed, by how many raw series it has."""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from sereno_slo import Settings, SourceFile, validate_specs
from sereno_slo.history.expressions import entry_expressions
from sereno_slo.plan.series import Ledger

from benchmarks.backtest.past import END_MS, SPEC, month, series_of
from benchmarks.backtest.serving import compacting_prometheus, fill
from benchmarks.simulation import DAY, HOUR, MINUTE, Server

JUDGED_DAYS = 30
LEAD_DAYS = 38
"""The SLO's window, the week that tells what is usual, and what the first entries look back on."""
PROMISED_SERIES, PROMISED_SECONDS = 200, 60
_ASKED_HOURS = 4
_END = "2025-02-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one backtest took."""

    raw_series: int
    days: int
    """Of raw history that were there."""
    seconds: float
    own_cpu_seconds: float
    server_cpu_seconds: float
    own_mib: float
    server_mib: float
    by_server_seconds: float
    """What the server would take to evaluate the entries' own expressions over as many days; from four hours of it."""


@click.command(
    epilog="\b\nExamples:\n  python -m benchmarks.backtest\n  python -m benchmarks.backtest --series 1000 --past 12"
)
@click.option("--series", "sizes", type=int, multiple=True, default=(10, PROMISED_SERIES), show_default=True)
@click.option("--past", type=int, default=JUDGED_DAYS + LEAD_DAYS, show_default=True, help="Days of raw history.")
@click.option("--serve", is_flag=True, help="Only fill a Prometheus with the past, and wait for Ctrl-C.")
def main(*, sizes: tuple[int, ...], past: int, serve: bool) -> None:
    """Seconds and memory of `sereno backtest --days 30` on a Prometheus of its own.

    Ends with 1 if a month of 200 raw series takes more than a minute.
    """
    if serve:
        _serve(sizes[0], past)
        return
    costs = []
    for raw_series in sizes:
        print(f"{raw_series} raw series", file=sys.stderr)
        costs.append(_measured(raw_series, past))
    _print(costs)
    slow = [cost for cost in costs if cost.raw_series == PROMISED_SERIES and cost.seconds > PROMISED_SECONDS]
    sys.exit(1 if slow else 0)


def _serve(raw_series: int, past: int) -> None:
    with _filled(raw_series, past) as (server, folder):
        print(f"{server.url} has {past} days before {_END}; the spec is {folder / 'shop.slo.yaml'}", flush=True)
        while True:
            time.sleep(3600)


@contextmanager
def _filled(raw_series: int, past: int) -> Iterator[tuple[Server, Path]]:
    with tempfile.TemporaryDirectory(prefix="sereno-backtest-") as name:
        folder = Path(name)
        (folder / "shop.slo.yaml").write_text(SPEC, encoding="utf-8")
        with compacting_prometheus(folder / "prometheus") as server:
            fill(server, list(series_of(month(raw_series, past))), past)
            yield server, folder


def _measured(raw_series: int, past: int) -> Cost:
    with _filled(raw_series, past) as (server, folder):
        arguments = ["--prometheus", server.url, "--days", str(JUDGED_DAYS), "--to", _END, "--format", "json"]
        cpu_before, began = _cpu_seconds(server.pid), time.monotonic()
        status, usage = _run(
            [sys.executable, "-m", "sereno_cli", "backtest", str(folder / "shop.slo.yaml"), *arguments]
        )
        seconds = time.monotonic() - began
        if status:
            raise SystemExit(f"sereno backtest ended with {status}")
        return Cost(
            raw_series,
            past,
            seconds,
            usage.ru_utime + usage.ru_stime,
            _cpu_seconds(server.pid) - cpu_before,
            usage.ru_maxrss / 1024,
            _peak_mib(server.pid),
            _by_server(server) * past * DAY / (_ASKED_HOURS * HOUR),
        )


def _run(command: list[str]) -> "tuple[int, os.struct_rusage]":  # type: ignore[name-defined] # of the standard library
    pid = os.posix_spawn(
        command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    )
    _, status, usage = os.wait4(pid, 0)
    return os.waitstatus_to_exitcode(status), usage


def _by_server(server: Server) -> float:
    """The entries' expressions over four hours, which is as much as a server answers in one go."""
    (service,) = validate_specs([SourceFile("shop.slo.yaml", SPEC)], Settings()).services
    (slo,) = service.slos
    began = time.monotonic()
    for expr in entry_expressions(slo, Ledger.of(slo), Settings()).values():
        server.query_range(str(expr), END_MS - _ASKED_HOURS * HOUR, END_MS - MINUTE, MINUTE)
    return time.monotonic() - began


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _print(costs: list[Cost]) -> None:
    table = Table()
    for heading in ("raw series", "days read", "seconds", "own CPU s", "server CPU s", "own MiB", "server MiB"):
        table.add_column(heading, justify="right")
    table.add_column("entries by the server, s", justify="right")
    for cost in costs:
        figures = (cost.seconds, cost.own_cpu_seconds, cost.server_cpu_seconds, cost.own_mib, cost.server_mib)
        texts = [f"{figure:,.0f}" for figure in (*figures, cost.by_server_seconds)]
        table.add_row(f"{cost.raw_series}", f"{cost.days}", *texts)
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
