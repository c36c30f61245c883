"""The rules of failed deployments: each says of every deployment what it looked at, and what it found."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sereno_exporters.dora.commits import Delivery
from sereno_exporters.dora.deployments import DeploymentRun
from sereno_exporters.dora.incidents import Incident
from sereno_exporters.dora.policy import DoraPolicy
from sereno_exporters.dora.words import length, moment


class Rule(StrEnum):
    """Why a deployment counts as failed."""

    NAMED = "incident_names_it"
    ROLLED_BACK = "rolled_back"
    HOTFIXED = "hotfixed"
    FOLLOWED = "incident_followed"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact, and the event that tells it."""

    at: datetime
    text: str
    event_id: str


@dataclass(frozen=True, slots=True)
class Check:
    """What one rule says of one deployment."""

    rule: Rule
    holds: bool | None
    """None: time hasn't told yet."""
    text: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Situation:
    """A deployment, and what the rules look at."""

    run: DeploymentRun
    before: DeploymentRun | None
    """The deployment before it, of the same repository to the same environment."""
    after: DeploymentRun | None
    """The next one."""
    delivery: Delivery
    """What it brought."""
    back_to: DeploymentRun | None
    """The first deployment of what the next one deployed, where that is older than this one."""
    naming: tuple[Incident, ...]
    """Incidents that name it as their cause."""
    following: tuple[Incident, ...]
    """Incidents that name nothing, and began soon after it."""


def checks(of: Situation, policy: DoraPolicy, now: datetime) -> tuple[Check, ...]:
    """One of each rule, in the order of their weight."""
    return _named(of), _rolled_back(of, policy, now), _hotfixed(of, policy, now), _followed(of, policy, now)


def title(incident: Incident) -> str:
    """An incident for people."""
    return f"incident {incident.key.incident_id}{f' ({incident.title})' if incident.title else ''}"


def name(run: DeploymentRun) -> str:
    """A deployment for people: its id, and what was deployed."""
    return f"{run.key.deployment_id} ({run.shown})" if run.shown != run.key.deployment_id else run.shown


def incident_evidence(incidents: Sequence[Incident]) -> Iterator[Evidence]:
    """What is known of incidents: beginning, what they name, end."""
    for incident in incidents:
        yield Evidence(incident.opened_at, f"{title(incident)} began", incident.opened_event_id)
        if incident.named_at is not None:
            what = incident.deployment_id or incident.deployment_sha
            yield Evidence(incident.named_at, f"{title(incident)} names {what}", incident.named_event_id)
        if incident.resolved_at is not None:
            yield Evidence(incident.resolved_at, f"{title(incident)} was resolved", incident.resolved_event_id)


def _named(of: Situation) -> Check:
    if not of.naming:
        return Check(Rule.NAMED, holds=False, text="no incident names it")
    text = f"{' and '.join(title(incident) for incident in of.naming)} named it as the cause"
    return Check(Rule.NAMED, holds=True, text=text, evidence=tuple(incident_evidence(of.naming)))


def _rolled_back(of: Situation, policy: DoraPolicy, now: datetime) -> Check:
    within, deployed_at = policy.rollback_within, of.run.when_deployed()
    if of.after is None:
        return _waiting(Rule.ROLLED_BACK, f"not taken back within {length(within)}", deployed_at + within, now)
    how = _taken_back(of, of.after)
    if how is None:
        return Check(Rule.ROLLED_BACK, holds=False, text=f"the next deployment, {name(of.after)}, is no rollback")
    gap = of.after.when_deployed() - deployed_at
    holds = gap <= within
    text = f"{how}, {length(gap)} later ({'' if holds else 'not '}within {length(within)})"
    return Check(Rule.ROLLED_BACK, holds, text, (_deployed(of.after),))


def _taken_back(of: Situation, after: DeploymentRun) -> str | None:
    """How the next deployment takes this one back, in words; None where it doesn't."""
    if after.is_rollback:
        return f"the next deployment, {name(after)}, is a rollback"
    if after.is_rollback is None and of.back_to is not None:
        first = moment(of.back_to.when_deployed())
        return f"the next deployment, {name(after)}, brought back what was first deployed at {first}"
    return None


def _hotfixed(of: Situation, policy: DoraPolicy, now: datetime) -> Check:
    within, deployed_at = policy.hotfix_within, of.run.when_deployed()
    nothing = f"no unplanned deployment followed within {length(within)}"
    if of.after is None:
        return _waiting(Rule.HOTFIXED, nothing, deployed_at + within, now)
    gap = of.after.when_deployed() - deployed_at
    if not of.after.is_unplanned or gap > within:
        return Check(Rule.HOTFIXED, holds=False, text=nothing)
    text = f"the next deployment, {name(of.after)}, was unplanned, {length(gap)} later (within {length(within)})"
    return Check(Rule.HOTFIXED, holds=True, text=text, evidence=(_deployed(of.after),))


def _followed(of: Situation, policy: DoraPolicy, now: datetime) -> Check:
    within, deployed_at = policy.incident_within, of.run.when_deployed()
    if of.following:
        first = of.following[0]
        gap = length(first.opened_at - deployed_at)
        text = f"{title(first)} began {gap} after it (within {length(within)}), no other deployment in between"
        return Check(Rule.FOLLOWED, holds=True, text=text, evidence=tuple(incident_evidence(of.following)))
    until = deployed_at + within if of.after is None else min(deployed_at + within, of.after.when_deployed())
    return _waiting(
        Rule.FOLLOWED, f"no incident without a named cause began within {length(within)} after it", until, now
    )


def _waiting(rule: Rule, nothing: str, until: datetime, now: datetime) -> Check:
    """Nothing has happened; whether that is the answer depends on the time."""
    if now >= until:
        return Check(rule, holds=False, text=nothing)
    return Check(rule, holds=None, text=f"{nothing} so far; it is decided at {moment(until)}")


def _deployed(run: DeploymentRun) -> Evidence:
    by = f" by {run.actor}" if run.actor else ""
    return Evidence(run.when_deployed(), f"{name(run)} was deployed to {run.key.environment}{by}", run.success_event_id)
