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

STRETCH_SECONDS = 60
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

    @property
    def key(self) -> tuple[tuple[str, str], ...]:
        """Its labels, sorted."""
        return tuple(sorted(self.labels.items()))


@dataclass(frozen=True, slots=True)
class Stretch:
    """All series of a stretch of time."""

    series: tuple[Raw, ...]
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
    url = f"{world.addresses.url('prometheus')}/api/v1/query"
    at = time.time()
    found: list[Raw] = []
    with httpx.Client(trust_env=False, timeout=30) as http:
        for name in sorted(names):
            query = f'{{__name__="{name}"}}[{STRETCH_SECONDS}s]'
            answer = http.get(url, params={"query": query, "time": f"{at:.3f}"})
            answer.raise_for_status()
            found += map(_raw, answer.json()["data"]["result"])
    return Stretch(tuple(found), STRETCH_SECONDS)


def _raw(one: Mapping[str, Any]) -> Raw:
    times, values = zip(*one["values"], strict=True)
    return Raw(one["metric"], np.array(times, dtype=np.float64), np.array([float(value) for value in values]))
