"""What a real Alertmanager makes of alerts of simulated time: it is told now, in their order, and tells people."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from sereno_cli.demo.observing import incidents, labels_of
from sereno_cli.demo.world import World

from benchmarks.stories.judging import Firing

# The demo's Alertmanager waits a second for a group, and five between two tellings.
_SETTLED_SECONDS = 12.0
_DEADLINE_SECONDS = 60.0
_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Notified:
    """Labels of the alerts that the incident receiver was told, and whether every incident of theirs has ended."""

    told: tuple[Mapping[str, str], ...]
    all_resolved: bool


def told_by_alertmanager(world: World, firings: Sequence[Firing]) -> Notified:
    """Let Alertmanager route, inhibit and tell the alerts, a moment of simulated time after the other.

    Raises:
        httpx.HTTPError: it doesn't answer.
    """
    before = {incident["incident_id"] for incident in incidents(world.run)}
    for moment, last in _moments(firings):
        _post(
            world, (_alert(one, now_firing=one.since <= moment < one.until) for one in firings if one.since <= moment)
        )
        _wait(world, until_resolved=last)
    mine = [incident for incident in incidents(world.run) if incident["incident_id"] not in before]
    return Notified(
        tuple(labels for incident in mine for labels in labels_of(incident)),
        all(incident["status"] == "resolved" for incident in mine),
    )


def _moments(firings: Sequence[Firing]) -> Iterator[tuple[int, bool]]:
    """When the set of what fires has changed, and whether that is the last time."""
    moments = sorted({moment for one in firings for moment in (one.since, one.until)})
    yield from ((moment, moment == moments[-1]) for moment in moments)


def _alert(one: Firing, *, now_firing: bool) -> dict[str, Any]:
    now = datetime.now(UTC)
    ends = now + timedelta(hours=1) if now_firing else now
    return {
        "labels": dict(one.labels),
        "annotations": {},
        "startsAt": (now - timedelta(minutes=1)).isoformat(),
        "endsAt": ends.isoformat(),
    }


def _post(world: World, alerts: Iterable[dict[str, Any]]) -> None:
    url = f"{world.addresses.url('alertmanager')}/api/v2/alerts"
    httpx.post(url, json=list(alerts), trust_env=False, timeout=10).raise_for_status()


def _wait(world: World, *, until_resolved: bool) -> None:
    """Until Alertmanager has had the time to tell; at the end until nothing is open any more, if that comes."""
    settled = time.monotonic() + _SETTLED_SECONDS
    deadline = time.monotonic() + (_DEADLINE_SECONDS if until_resolved else _SETTLED_SECONDS)
    while time.monotonic() < deadline:
        world.supervisor.check()
        time.sleep(_POLL_SECONDS)
        is_open = any(incident["status"] != "resolved" for incident in incidents(world.run))
        if until_resolved and time.monotonic() > settled and not is_open:
            return
