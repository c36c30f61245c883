"""CPU time and bytes of scrapes, by the number of routes."""

import contextlib
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.telemetry.environment import Environment
from benchmarks.telemetry.instruments import BARE, FLOOR
from benchmarks.telemetry.workers import Worker

ROUTES = (1, 50, 300)


@dataclass(frozen=True, slots=True)
class Scrape:
    """What one endpoint needs."""

    routes: int
    instrument: str
    cpu_seconds: float
    """Of a usual scrape."""
    bytes: int
    samples: int


def measure(environment: Environment, routes: int, *, scrapes: int, progress: Callable[[str], None]) -> list[Scrape]:
    """All endpoints, scraped in turn."""
    names = [name for name in environment.instruments if name not in {BARE, FLOOR}]
    progress(f"{routes} routes: {scrapes} scrapes of each")
    with contextlib.ExitStack() as stack:
        workers = {
            name: stack.enter_context(Worker(environment, "scrape", instrument=name, routes=routes)) for name in names
        }
        answers = [{name: worker.ask() for name, worker in workers.items()} for _ in range(scrapes + 1)][1:]
    return [
        Scrape(
            routes,
            name,
            statistics.median(answer[name]["cpu_seconds"] for answer in answers),
            answers[-1][name]["bytes"],
            answers[-1][name]["samples"],
        )
        for name in names
    ]


def print_scrapes(console: Console, found: Sequence[Scrape]) -> None:
    """One line for each."""
    table = Table(title="A scrape, asked for as Prometheus does, two methods and three codes for each route")
    for title in ("routes", "instrumentation", "CPU, ms", "kB sent", "samples", "CPU, µs a sample"):
        table.add_column(title, justify="left" if title == "instrumentation" else "right")
    previous = None
    for one in found:
        if previous not in {None, one.routes}:
            table.add_section()
        previous = one.routes
        each = f"{1e6 * one.cpu_seconds / one.samples:.1f}" if one.samples else "-"
        milliseconds, kilobytes = f"{1e3 * one.cpu_seconds:.1f}", f"{one.bytes / 1e3:.0f}"
        table.add_row(str(one.routes), one.instrument, milliseconds, kilobytes, f"{one.samples:,}", each)
    console.print(table)


def as_json(found: Sequence[Scrape]) -> list[dict[str, Any]]:
    """Everything measured, as plain data."""
    return [asdict(one) for one in found]
