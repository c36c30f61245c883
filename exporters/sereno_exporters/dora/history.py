"""From events to what they say together: pure, and the same whatever order, number or portions they come in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sereno_backends.devops import DevOpsEvent, EventKind

from sereno_exporters.dora.commits import Commits, Delivery, commits_by_service, deliveries
from sereno_exporters.dora.deployments import DeploymentKey, DeploymentRun, deployment_runs
from sereno_exporters.dora.incidents import Incident, incidents_of

FOLDED = frozenset({EventKind.COMMIT, EventKind.DEPLOYMENT, EventKind.INCIDENT})
"""What figures are made of; pull requests and pipelines bear on none of them."""
Place = tuple[str, str]
"""Service and environment: what figures are of."""
Track = tuple[str, str, str]
"""Service, environment and repository: deployments that replace each other."""


@dataclass(frozen=True, slots=True)
class DeliveryHistory:
    """What events say, without any judgement and without a clock."""

    runs: tuple[DeploymentRun, ...]
    """All deployments, to every environment, by key."""
    incidents: tuple[Incident, ...]
    production: Mapping[Track, tuple[DeploymentRun, ...]]
    """Successful deployments to production, each track's in the order of their times."""
    deliveries: Mapping[DeploymentKey, Delivery]
    """Of those in `production`."""
    oldest: datetime | None
    """The oldest event: before it nothing is known."""
    newest: datetime | None


def canonical(events: Iterable[DevOpsEvent]) -> tuple[DevOpsEvent, ...]:
    """Each fact once, in the order of time: what was told twice is the one that was told first."""
    known: dict[str, DevOpsEvent] = {}
    for event in events:
        other = known.get(event.event_id)
        if other is None or _told(event) < _told(other):
            known[event.event_id] = event
    return tuple(sorted(known.values(), key=lambda event: (event.occurred_at, event.event_id)))


def fold(events: Iterable[DevOpsEvent]) -> DeliveryHistory:
    """What these events say together."""
    ordered = canonical(event for event in events if event.kind in FOLDED)
    runs = deployment_runs(ordered)
    production = _production(runs)
    commits = commits_by_service(ordered)
    return DeliveryHistory(
        runs=runs,
        incidents=incidents_of(ordered),
        production=production,
        deliveries={
            delivery.deployment: delivery
            for (service, _, _), placed in production.items()
            for delivery in deliveries(placed, commits.get(service, Commits()))
        },
        oldest=ordered[0].occurred_at if ordered else None,
        newest=ordered[-1].occurred_at if ordered else None,
    )


def _told(event: DevOpsEvent) -> tuple[datetime, datetime, str, bool]:
    subject = event.subject
    return event.occurred_at, event.received_at, event.delivery_id, getattr(subject, "is_production", False)


def _production(runs: Iterable[DeploymentRun]) -> dict[Track, tuple[DeploymentRun, ...]]:
    placed: dict[Track, list[tuple[datetime, DeploymentRun]]] = {}
    for run in runs:
        if run.is_production and run.deployed_at is not None:
            placed.setdefault((run.key.service, run.key.environment, run.key.repository), []).append(
                (run.deployed_at, run)
            )
    return {
        track: tuple(run for _, run in sorted(found, key=lambda each: (each[0], each[1].key)))
        for track, found in sorted(placed.items())
    }
