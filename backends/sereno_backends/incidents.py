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
