"""What a scrape of the store brings: everything is counted already, nothing depends on the clock any more."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sereno_backends.devops import RunStatus

from sereno_exporters.dora.deployments import COUNTED, DeploymentRun
from sereno_exporters.dora.figures import Figures, figures
from sereno_exporters.dora.history import DeliveryHistory, Place
from sereno_exporters.dora.policy import WINDOWS, DoraPolicy
from sereno_exporters.dora.verdicts import judged


@dataclass(frozen=True, slots=True)
class DoraSnapshot:
    """One store at one moment."""

    figures: tuple[Figures, ...]
    ended: Mapping[Place, Mapping[RunStatus, int]]
    """All deployments that there ever were, by how they ended; one that was tried again counts under both ends."""
    latest: tuple[DeploymentRun, ...]
    """The last successful deployment of each service to each environment, production or not."""
    oldest_event_at: datetime | None
    newest_event_at: datetime | None


def snapshot_of(history: DeliveryHistory, policy: DoraPolicy, now: datetime) -> DoraSnapshot:
    """What a history comes to at a moment."""
    judgements = judged(history, policy, now, since=now - max(WINDOWS.values()))
    return DoraSnapshot(
        figures=figures(history, judgements, now),
        ended=_ended(history),
        latest=_latest(history),
        oldest_event_at=history.oldest,
        newest_event_at=history.newest,
    )


def _ended(history: DeliveryHistory) -> Mapping[Place, Mapping[RunStatus, int]]:
    counts: dict[Place, dict[RunStatus, int]] = {}
    for run in history.runs:
        if run.reached:
            of_place = counts.setdefault((run.key.service, run.key.environment), dict.fromkeys(COUNTED, 0))
            for status in run.reached:
                of_place[status] += 1
    return counts


def _latest(history: DeliveryHistory) -> tuple[DeploymentRun, ...]:
    newest: dict[Place, DeploymentRun] = {}
    for run in history.runs:
        if run.deployed_at is not None:
            place = (run.key.service, run.key.environment)
            other = newest.get(place)
            if other is None or (other.when_deployed(), other.key) < (run.when_deployed(), run.key):
                newest[place] = run
    return tuple(newest[place] for place in sorted(newest))
