"""What a scrape of the store brings: everything is counted already, nothing depends on the clock any more."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sereno_backends.devops import RunStatus

from sereno_exporters.dora.deployments import DeploymentRun
from sereno_exporters.dora.figures import Figures, figures
from sereno_exporters.dora.history import DeliveryHistory
from sereno_exporters.dora.policy import WINDOWS, DoraPolicy
from sereno_exporters.dora.verdicts import judged


@dataclass(frozen=True, slots=True)
class DoraSnapshot:
    """One store at one moment."""

    figures: tuple[Figures, ...]
    ended: Mapping[tuple[str, str], Mapping[RunStatus, int]]
    """By service and environment: how all deployments that there ever were ended; one that was tried again counts under
    both ends."""
    latest: tuple[DeploymentRun, ...]
    """The last successful deployment of each service to each environment, production or not."""
    oldest_event_at: datetime | None
    newest_event_at: datetime | None


def snapshot_of(history: DeliveryHistory, policy: DoraPolicy, now: datetime) -> DoraSnapshot:
    """What a history comes to at a moment."""
    judgements = judged(history, policy, now, since=now - max(WINDOWS.values()))
    return DoraSnapshot(
        figures=figures(history, judgements, now),
        ended={
            (service.service, environment): counts
            for service in history.services.values()
            for environment, counts in service.ended.items()
        },
        latest=tuple(run for service in history.services.values() for _, run in sorted(service.latest.items())),
        oldest_event_at=history.oldest,
        newest_event_at=history.newest,
    )
