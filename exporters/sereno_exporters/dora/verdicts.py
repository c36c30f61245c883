"""Which deployments failed, and why; which were unplanned repairs; when users were hit, and until when."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import takewhile

from sereno_exporters.dora.blame import Blame
from sereno_exporters.dora.commits import Delivery
from sereno_exporters.dora.deployments import DeploymentRun
from sereno_exporters.dora.history import DeliveryHistory
from sereno_exporters.dora.incidents import Incident
from sereno_exporters.dora.policy import DoraPolicy
from sereno_exporters.dora.rules import Check, Evidence, Rule, Situation, checks, incident_evidence, name, title
from sereno_exporters.dora.services import ServiceHistory, TrackHistory
from sereno_exporters.dora.words import length


class Verdict(StrEnum):
    """How a deployment to production went."""

    FAILED = "failed"
    """It needed somebody to intervene: a change failure."""
    WELL = "well"
    OPEN = "open"
    """Nothing speaks against it, but it is too young to tell. It counts neither way."""


@dataclass(frozen=True, slots=True)
class Rework:
    """Why a deployment counts as unplanned repair."""

    text: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class JudgedDeployment:
    """A successful deployment to production, and what became of it."""

    run: DeploymentRun
    delivery: Delivery
    """What it brought."""
    verdict: Verdict
    rule: Rule | None
    """The first that holds; None unless it failed."""
    checks: tuple[Check, ...]
    """One of each rule, in their order."""
    rework: Rework | None
    broke_at: datetime | None
    """When users were hit, as far as is known; None unless it failed."""
    restored_at: datetime | None
    """None where nothing says that it is over."""

    @property
    def deployed_at(self) -> datetime:
        """When it first succeeded."""
        return self.run.when_deployed()

    @property
    def restore_seconds(self) -> float | None:
        """How long recovery took; None unless it failed and is over."""
        if self.broke_at is None or self.restored_at is None:
            return None
        return max(0.0, (self.restored_at - self.broke_at).total_seconds())


def judged(
    history: DeliveryHistory, policy: DoraPolicy, now: datetime, *, since: datetime | None = None
) -> tuple[JudgedDeployment, ...]:
    """Successful deployments to production, by service, environment, repository and time.

    Args:
        history: what events say.
        policy: the numbers of the rules.
        now: the time that decides whether a verdict is still open.
        since: leave out those before; None: none.
    """
    return tuple(
        each
        for service in history.services.values()
        for track in service.tracks.values()
        for each in _judged_track(service, track, policy, now, since)
    )


def _judged_track(
    service: ServiceHistory, track: TrackHistory, policy: DoraPolicy, now: datetime, since: datetime | None
) -> Iterator[JudgedDeployment]:
    start = 0 if since is None else bisect_left(track.runs, since, key=DeploymentRun.when_deployed)
    taking_back: Check | None = None
    # What was before is looked at for what came after it only: whether that one took it back.
    for index in range(max(0, start - 1), len(track.runs)):
        of = _situation(service.blame, track, index, policy)
        found = checks(of, policy, now)
        if index >= start:
            yield _judged(of, found, _rework(of, taking_back, service.incidents, policy))
        taking_back = next(check for check in found if check.rule is Rule.ROLLED_BACK)


def _situation(blame: Blame, track: TrackHistory, index: int, policy: DoraPolicy) -> Situation:
    run = track.runs[index]
    after = track.runs[index + 1] if index + 1 < len(track.runs) else None
    # Going back to what a rollback had taken away is no rollback: it is newer than what is there.
    first = None if after is None else track.first.get(after.revision)
    is_older = first is not None and first < track.first.get(run.revision, index)
    return Situation(
        run=run,
        delivery=track.deliveries[index],
        before=track.runs[index - 1] if index else None,
        after=after,
        back_to=track.runs[first] if first is not None and is_older else None,
        naming=blame.naming.get(run.key, ()),
        following=tuple(
            incident
            for incident in blame.following.get(run.key, ())
            if incident.opened_at - run.when_deployed() <= policy.incident_within
        ),
    )


def _judged(of: Situation, found: tuple[Check, ...], rework: Rework | None) -> JudgedDeployment:
    rule = next((check.rule for check in found if check.holds), None)
    is_open = any(check.holds is None for check in found)
    broke_at, restored_at = (None, None) if rule is None else _outage(of)
    return JudgedDeployment(
        run=of.run,
        delivery=of.delivery,
        verdict=Verdict.FAILED if rule else Verdict.OPEN if is_open else Verdict.WELL,
        rule=rule,
        checks=found,
        rework=rework,
        broke_at=broke_at,
        restored_at=restored_at,
    )


def _outage(of: Situation) -> tuple[datetime, datetime | None]:
    """People's word comes first; without an incident, from the deployment to the one that took it back or mended it."""
    causing = (*of.naming, *of.following)
    if not causing:
        return of.run.when_deployed(), None if of.after is None else of.after.when_deployed()
    ends = [incident.resolved_at for incident in causing if incident.resolved_at is not None]
    return min(incident.opened_at for incident in causing), max(ends) if len(ends) == len(causing) else None


def _rework(
    of: Situation, taking_back: Check | None, incidents: Sequence[Incident], policy: DoraPolicy
) -> Rework | None:
    """Unplanned, and the result of an incident in production; what the provider says comes first."""
    if of.run.is_unplanned is not None:
        return Rework("its provider says that it was unplanned") if of.run.is_unplanned else None
    if of.before is not None and taking_back is not None and taking_back.holds:
        return Rework(f"it took {name(of.before)} back", taking_back.evidence)
    deployed_at = of.run.when_deployed()
    first = bisect_left(incidents, deployed_at - policy.rework_within, key=lambda each: each.opened_at)
    for incident in takewhile(lambda each: each.opened_at < deployed_at, incidents[first:]):
        if incident not in (*of.naming, *of.following) and _repairs(of.run, incident, policy):
            after = length(deployed_at - incident.opened_at)
            text = f"it went out while {title(incident)} was open, {after} after it began"
            return Rework(text, tuple(incident_evidence((incident,))))
    return None


def _repairs(run: DeploymentRun, incident: Incident, policy: DoraPolicy) -> bool:
    """What had begun to go out before the incident began is no answer to it; rather its cause."""
    deployed_at, started_at = run.when_deployed(), run.started_at or run.when_deployed()
    is_of_it = incident.environment in ("", run.key.environment)
    is_soon = incident.opened_at < started_at and deployed_at <= incident.opened_at + policy.rework_within
    return is_of_it and is_soon and (incident.resolved_at is None or deployed_at <= incident.resolved_at)
