"""The schema of incidents: what a page became, as frozen values. All times are aware and UTC."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

SEVERITIES_HIGHEST_FIRST = ("critical", "warning", "info", "none")
"""The order of conventions.md: critical pages, warning makes a ticket, info and none are routed nowhere."""


class AlertStatus(StrEnum):
    """Whether an alert still holds."""

    FIRING = "firing"
    RESOLVED = "resolved"


class IncidentStatus(StrEnum):
    """Whether an incident has ended."""

    OPEN = "open"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class IncidentAlert:
    """One alert's one time of firing within an incident; `fingerprint` and `starts_at` identify it."""

    fingerprint: str
    """Alertmanager's hash of the labels."""
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    """As they were when the alert was first heard of: what the person on call read."""
    starts_at: datetime
    """When it began to fire (after its pending time)."""
    ends_at: datetime | None
    """When it stopped, by Alertmanager; None while it fires."""
    generator_url: str = ""

    @property
    def name(self) -> str:
        """The label `alertname`."""
        return self.labels.get("alertname", "")

    @property
    def severity(self) -> str:
        """The label `severity`; empty if it has none."""
        return self.labels.get("severity", "")

    @property
    def status(self) -> AlertStatus:
        """Firing until an end is known."""
        return AlertStatus.FIRING if self.ends_at is None else AlertStatus.RESOLVED


@dataclass(frozen=True, slots=True)
class Notification:
    """One webhook delivery of Alertmanager that spoke of an incident's alerts."""

    received_at: datetime
    """By the receiver's clock."""
    status: AlertStatus
    """Of the group as a whole, as Alertmanager said it."""
    receiver: str
    group_key: str
    firing: tuple[str, ...]
    """Fingerprints of the incident's alerts that it reported as firing."""
    resolved: tuple[str, ...]
    """Fingerprints of the incident's alerts that it reported as resolved."""
    truncated_alerts: int = 0
    """Alerts of the group that Alertmanager left out of the delivery (its `max_alerts`)."""


class EntryKind(StrEnum):
    """What an entry tells."""

    ACKNOWLEDGEMENT = "acknowledgement"
    """Somebody has taken the incident on."""
    NOTE = "note"
    MITIGATION = "mitigation"
    """What was tried; `helped` says whether it did."""
    SEVERITY = "severity"
    """How bad people say it is, in their words."""
    IMPACT = "impact"
    """What users felt, as people tell it."""
    LINK = "link"
    """An address (http or https), and what is to be found there."""
    ASSIGNMENT = "assignment"
    """Who was called, or called instead; told by PagerDuty. It is no deed: nobody has acted yet."""
    RESOLUTION = "resolution"
    """Somebody closed it in PagerDuty; the incident itself ends when its alerts do."""
    WITHDRAWAL = "withdrawal"
    """The entry that it corrects shall not count; the text says why."""


class EntrySource(StrEnum):
    """Where an entry was written."""

    SERENO = "sereno"
    PAGERDUTY = "pagerduty"


ACTIONS = frozenset(EntryKind) - {EntryKind.ASSIGNMENT, EntryKind.WITHDRAWAL}
"""Kinds that show that somebody acted."""


@dataclass(frozen=True, slots=True)
class IncidentEntry:
    """What a person did or told. It is never changed: a correction is another entry that names this one."""

    entry_id: str
    """Made by who wrote it, so that the same entry sent twice is one."""
    kind: EntryKind
    author: str
    happened_at: datetime
    written_at: datetime
    """By the clock of who keeps the record; never before it was written."""
    text: str
    helped: bool | None = None
    """Of a mitigation: whether it did; None where nobody said so yet."""
    corrects: str | None = None
    """The id of the entry in whose place this one stands."""
    source: EntrySource = EntrySource.SERENO
    by_person: bool = True
    """False where a program did it: PagerDuty's own automation, or Alertmanager's resolution."""
    people: tuple[str, ...] = ()
    """Of an assignment: who was called."""

    @property
    def is_action(self) -> bool:
        """Whether it shows that a person acted."""
        return self.by_person and self.kind in ACTIONS


@dataclass(frozen=True, slots=True)
class Incident:
    """One stretch of time in which at least one alert of one service and SLO held."""

    incident_id: str
    """Readable and a safe file name, such as `2026-11-22-transactions-api-availability-2`."""
    service: str
    """Label `service` of its alerts; empty for alerts that have none."""
    slo: str
    """Label `slo` of its alerts; empty for alerts that have none."""
    group_labels: Mapping[str, str]
    """What its alerts have in common by definition: service and slo, or else Alertmanager's grouping."""
    opened_at: datetime
    """The earliest start of its alerts."""
    resolved_at: datetime | None
    """The latest end of its alerts; None while one of them fires."""
    alerts: tuple[IncidentAlert, ...]
    """By start, then fingerprint."""
    notifications: tuple[Notification, ...]
    """By the time they were received."""
    entries: tuple[IncidentEntry, ...] = ()
    """What people did and told, by the time when it happened; corrected ones are still there."""

    @property
    def standing_entries(self) -> tuple[IncidentEntry, ...]:
        """The entries that hold: without those that another one corrects, and without withdrawals.

        What is itself corrected or withdrawn corrects nothing: the youngest decides first.
        """
        corrected: set[str] = set()
        for entry in sorted(self.entries, key=lambda entry: (entry.written_at, entry.entry_id), reverse=True):
            if entry.entry_id not in corrected and entry.corrects is not None:
                corrected.add(entry.corrects)
        return tuple(
            entry
            for entry in self.entries
            if entry.entry_id not in corrected and entry.kind is not EntryKind.WITHDRAWAL
        )

    @property
    def acknowledgement(self) -> IncidentEntry | None:
        """The first one that stands."""
        found = (entry for entry in self.standing_entries if entry.kind is EntryKind.ACKNOWLEDGEMENT)
        return next(found, None)

    @property
    def status(self) -> IncidentStatus:
        """Open until every alert has ended."""
        return IncidentStatus.OPEN if self.resolved_at is None else IncidentStatus.RESOLVED

    @property
    def severity(self) -> str:
        """The highest severity among its alerts."""
        return min((alert.severity for alert in self.alerts), key=_severity_rank, default="")


def _severity_rank(severity: str) -> tuple[int, str]:
    known = SEVERITIES_HIGHEST_FIRST
    return (known.index(severity) if severity in known else len(known), severity)
