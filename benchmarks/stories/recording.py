"""What the demo's Prometheus has scraped of a system: a stretch of health, and one with a slow fault on."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray
from sereno_cli.demo.systems import Fault
from sereno_cli.demo.world import World

STRETCH_SECONDS = 180
"""One request in 250 at eight a second fails twice a minute: a single minute of that would be a matter of luck."""
SETTLE_SECONDS = 15
"""From the switch until what is recorded is the fault's own: requests under way, one scrape."""
_POLL_SECONDS = 1.0

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Raw:
    """One series of a stretch."""

    labels: Mapping[str, str]
    times_seconds: NDArray[np.float64]
    values: NDArray[np.float64]
    is_counter: bool
    """By its type, not by its name: `pg_stat_activity_count` is a gauge, `pg_stat_database_xact_commit` a counter."""

    @property
    def key(self) -> tuple[tuple[str, str], ...]:
        """Its labels, sorted."""
        return tuple(sorted(self.labels.items()))


@dataclass(frozen=True, slots=True)
class Stretch:
    """All series of a stretch of time."""

    series: tuple[Raw, ...]
    begin_seconds: float
    """Since 1970."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Recording:
    """Health, then the fault."""

    healthy: Stretch
    broken: Stretch


def record(world: World, faults: Iterable[Fault], names: Collection[str], tell: Tell) -> Recording:
    """Let the systems run, then with the faults on, then off; what was scraped of the metrics with these names.

    Raises:
        DemoError: a part died, or a fault couldn't be switched.
        httpx.HTTPError: Prometheus doesn't answer.
    """
    broken = tuple(faults)
    tell(f"recording {STRETCH_SECONDS} s of health")
    _wait(world, SETTLE_SECONDS + STRETCH_SECONDS)
    healthy = _stretch(world, names)
    for fault in broken:
        world.switchboard.on(fault)
        tell(f"{fault.name} on: {fault.on}")
    try:
        _wait(world, SETTLE_SECONDS + STRETCH_SECONDS)
        return Recording(healthy, _stretch(world, names))
    finally:
        for fault in broken:
            world.switchboard.off(fault)


def _wait(world: World, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        world.supervisor.check()
        time.sleep(_POLL_SECONDS)


def _stretch(world: World, names: Collection[str]) -> Stretch:
    """The last stretch of every series with such a name. One request a name: one with all would be too long."""
    at = time.time()
    found: list[Raw] = []
    with httpx.Client(base_url=f"{world.addresses.url('prometheus')}/api/v1", trust_env=False, timeout=30) as http:
        types = _types(http)
        for name in sorted(names):
            query = f'{{__name__="{name}"}}[{STRETCH_SECONDS}s]'
            answer = http.get("/query", params={"query": query, "time": f"{at:.3f}"})
            answer.raise_for_status()
            is_counter = counts(name, types)
            found += (_raw(one, is_counter=is_counter) for one in answer.json()["data"]["result"])
    return Stretch(tuple(found), at - STRETCH_SECONDS, STRETCH_SECONDS)


def _types(http: httpx.Client) -> Mapping[str, str]:
    """What targets say of their metrics."""
    answer = http.get("/metadata")
    answer.raise_for_status()
    return {name: known[0]["type"] for name, known in answer.json()["data"].items()}


def counts(name: str, types: Mapping[str, str]) -> bool:
    """Whether a metric only grows: a counter, or a part of a histogram or summary, which have the type of the whole.

    OpenMetrics names a counter without its `_total`. What says of itself that it is untyped goes by that name, too.
    """
    whole, _, part = name.rpartition("_")
    if part in ("count", "sum", "bucket") and types.get(whole) in ("histogram", "summary"):
        return True
    known = types.get(name, types.get(whole, "unknown") if part == "total" else "unknown")
    return part == "total" if known == "unknown" else known == "counter"


def _raw(one: Mapping[str, Any], *, is_counter: bool) -> Raw:
    times, values = zip(*one["values"], strict=True)
    numbers = np.array([float(value) for value in values])
    return Raw(one["metric"], np.array(times, dtype=np.float64), numbers, is_counter)
