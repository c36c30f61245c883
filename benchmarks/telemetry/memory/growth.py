"""What each instrumentation has gained by hostile requests, against its state after a warm-up."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.telemetry.environment import Environment
from benchmarks.telemetry.instruments import FLOOR, SERENO
from benchmarks.telemetry.workers import Worker

MOST_BYTES = 5_000_000
WARM_UP_REQUESTS = 20_000
_STEPS = 20
_SEED = 20261


@dataclass(frozen=True, slots=True)
class Growth:
    """What a process holds more than after the warm-up."""

    instrument: str
    requests: int
    resident_bytes: int
    traced_bytes: int | None
    """As tracemalloc counts; None if it didn't run."""
    objects: int
    series: int
    """Series of a scrape at the end, not their growth."""


def grow(
    environment: Environment,
    *,
    requests: int,
    peer_requests: int,
    traced_memory: bool,
    progress: Callable[[str], None],
) -> list[Growth]:
    """Sereno under `requests`, everybody else under `peer_requests`, the bare app too: Python itself moves, too."""
    found = []
    for name in environment.instruments:
        if name == FLOOR:  # it has no idea of paths that aren't there
            continue
        wanted = requests if name == SERENO else peer_requests
        if wanted == 0:
            continue
        with Worker(environment, "memory", instrument=name, seed=_SEED, traced_memory=traced_memory) as worker:
            before = worker.ask(requests=WARM_UP_REQUESTS, look=True)
            after = before
            for step in range(1, _STEPS + 1):
                after = worker.ask(requests=wanted // _STEPS, look=step == _STEPS)
                grown = after["resident_bytes"] - before["resident_bytes"]
                progress(f"{name}: {step * wanted // _STEPS:,} requests, {grown / 1e6:+.1f} MB")
            found.append(_growth(name, wanted, before, after))
    return found


def _growth(name: str, requests: int, before: Mapping[str, Any], after: Mapping[str, Any]) -> Growth:
    traced = None if after["traced_bytes"] is None else after["traced_bytes"] - before["traced_bytes"]
    return Growth(
        instrument=name,
        requests=requests,
        resident_bytes=after["resident_bytes"] - before["resident_bytes"],
        traced_bytes=traced,
        objects=after["objects"] - before["objects"],
        series=after["series"],
    )


def print_growth(console: Console, found: Sequence[Growth]) -> None:
    """One line for each."""
    table = Table(title=f"What hostile requests leave behind, after a warm-up of {WARM_UP_REQUESTS:,}")
    table.add_column("instrumentation")
    for title in ("requests", "resident, MB", "allocated, MB", "objects", "series at the end"):
        table.add_column(title, justify="right")
    for one in found:
        traced = "-" if one.traced_bytes is None else f"{one.traced_bytes / 1e6:+.1f}"
        resident = f"{one.resident_bytes / 1e6:+.1f}"
        table.add_row(one.instrument, f"{one.requests:,}", resident, traced, f"{one.objects:+,}", f"{one.series:,}")
    console.print(table)


def missed(found: Sequence[Growth]) -> Iterator[str]:
    """What Sereno holds too much."""
    for one in found:
        if one.instrument == SERENO and one.resident_bytes > MOST_BYTES:
            grown = f"{one.resident_bytes / 1e6:+.1f} MB"
            yield f"{one.requests:,} requests: {grown}, must be {MOST_BYTES / 1e6:.0f} MB at most"


def as_json(found: Sequence[Growth]) -> list[dict[str, Any]]:
    """Everything measured, as plain data."""
    return [asdict(one) for one in found]
