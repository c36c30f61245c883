"""When service was lost and when it was back, by the ledger: a page comes later, and its resolution later still."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sereno_postmortems.draft.evidence import Evidence
from sereno_postmortems.draft.facts import Fact, Measured, NotMeasured, joined
from sereno_postmortems.draft.windows import MINUTE


@dataclass(frozen=True, slots=True)
class Loss:
    """From the first to the last minute that was surely worse than an objective, to the minute."""

    began: datetime
    """Within the minute that begins here."""
    ended: datetime
    """Within the minute that ends here; the last bad one so far, while the incident is open."""
    detected_after: timedelta
    """From the beginning to the first alert; below zero where an alert knew first."""
    notified_after: timedelta | None
    """To the first notification; None where none came."""

    @property
    def length(self) -> timedelta:
        """How long users felt it."""
        return self.ended - self.began


def loss_of_service(evidence: Evidence) -> Fact[Loss]:
    """Of all the incident's SLOs together; not measured where no minute was surely worse than its objective."""
    facts = [slo.bad_minutes for slo in evidence.slos]
    found = [(fact.value, fact.sources) for fact in facts if isinstance(fact, Measured) and fact.value is not None]
    if not found:
        reasons = [fact.reason for fact in facts if isinstance(fact, NotMeasured)]
        return NotMeasured(reasons[0] if reasons else "no minute was surely worse than an objective")
    incident = evidence.incident
    began = min(bad.first for bad, _ in found) - MINUTE
    notified = min((told.received_at for told in incident.notifications), default=None)
    return Measured(
        Loss(
            began=began,
            ended=max(bad.last for bad, _ in found),
            detected_after=incident.opened_at - began,
            notified_after=None if notified is None else notified - began,
        ),
        joined(*(sources for _, sources in found), (evidence.record,)),
    )
