"""Everything that happened, in order, each with what measured it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sereno_backends.gate_overrides import GateOverride
from sereno_backends.incidents import Incident, IncidentAlert, Notification
from sereno_backends.logs import LogRecord

from sereno_postmortems.draft.deployment_evidence import deployment_in_words
from sereno_postmortems.draft.evidence import Evidence
from sereno_postmortems.draft.facts import Measured, Question
from sereno_postmortems.draft.markdown import escaped
from sereno_postmortems.draft.slo_evidence import SloEvidence
from sereno_postmortems.draft.words import count
from sereno_postmortems.entry_words import deed_of

SHOWN_LABELS = ("burn", "long_window")


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that happened."""

    at: datetime
    what: str
    sources: tuple[Question, ...]
    told: str = ""
    """Words of people that the record keeps; they may say more in the draft."""


def timeline(evidence: Evidence) -> tuple[Row, ...]:
    """All rows by time; rows of one moment stay in the order of cause and effect."""
    rows = [
        *_deeds(evidence),
        *_overrides(evidence),
        *_deployments(evidence),
        *_first_error(evidence),
        *(row for slo in evidence.slos for row in _bad_minutes(slo)),
        *_pending(evidence),
        *_alerts_and_notifications(evidence),
        *_entries(evidence),
    ]
    return tuple(sorted(rows, key=lambda row: row.at))


def alert_in_words(alert: IncidentAlert) -> str:
    """Its name, severity and which tier of the burn rate it is."""
    tier = [f"{name} {alert.labels[name]}" for name in SHOWN_LABELS if name in alert.labels]
    return f"{alert.name} ({', '.join([alert.severity or 'no severity', *tier])})"


def deed_in_words(deed: LogRecord) -> str:
    """The action, who logged it, its message and its labels."""
    labels = deed.document.get("labels")
    told = ", ".join(f"{k}={v}" for k, v in sorted(labels.items())) if isinstance(labels, Mapping) else ""
    return f"{deed.action}: {deed.message} ({', '.join(filter(None, (deed.service, told)))})"


def _deeds(evidence: Evidence) -> Iterator[Row]:
    deeds = evidence.logs.deeds
    if isinstance(deeds, Measured):
        for deed in deeds.value:
            yield Row(deed.timestamp, deed_in_words(deed), deeds.sources)


def override_in_words(override: GateOverride) -> str:
    """Who, why, and what the gate had said."""
    denied = "; ".join(f"{denial.service}/{denial.slo}: {denial.reason}" for denial in override.denied)
    return f"Deployment gate overridden by {override.author}: {override.reason} ({denied})"


def _overrides(evidence: Evidence) -> Iterator[Row]:
    overrides = evidence.overrides
    if isinstance(overrides, Measured):
        for override in overrides.value:
            yield Row(override.recorded_at, override_in_words(override), overrides.sources)


def _deployments(evidence: Evidence) -> Iterator[Row]:
    deployments = evidence.deployments
    if isinstance(deployments, Measured):
        for deployment in deployments.value:
            yield Row(deployment.at, deployment_in_words(deployment), deployments.sources)


def _first_error(evidence: Evidence) -> Iterator[Row]:
    first = evidence.logs.first_error
    if isinstance(first, Measured) and first.value is not None:
        record = first.value
        what = f"First {record.level} in the logs of the evidence window: {record.message} ({record.service})"
        yield Row(record.timestamp, what, first.sources)


def _bad_minutes(slo: SloEvidence) -> Iterator[Row]:
    minutes = slo.bad_minutes
    if not isinstance(minutes, Measured) or minutes.value is None:
        return
    name = f"{slo.service}/{slo.slo}"
    bad = minutes.value
    told = f"{count(bad.first_failed)} of {count(bad.first_total)} failed"
    yield Row(
        bad.first,
        f"First minute entry of {name} in the evidence window that is surely worse than its objective: {told}",
        minutes.sources,
    )
    if bad.last > bad.first:
        yield Row(bad.last, f"Last minute entry of {name} that is surely worse than its objective", minutes.sources)


def _pending(evidence: Evidence) -> Iterator[Row]:
    pending = evidence.alerts.pending
    if isinstance(pending, Measured):
        for found in pending.value:
            yield Row(found.since, f"Alert pending: {alert_in_words(found.alert)}", pending.sources)


def _alerts_and_notifications(evidence: Evidence) -> Iterator[Row]:
    incident, sources = evidence.incident, (evidence.record,)
    for alert in incident.alerts:
        yield Row(alert.starts_at, f"Alert firing: {alert_in_words(alert)}", sources)
    for alert in incident.alerts:
        if alert.ends_at is not None:
            yield Row(alert.ends_at, f"Alert resolved: {alert_in_words(alert)}", sources)
    for notification in incident.notifications:
        yield Row(notification.received_at, _notification_in_words(incident, notification), sources)
    if incident.resolved_at is not None:
        yield Row(incident.resolved_at, "Incident resolved: all of its alerts have ended", sources)


def recorded_words(incident: Incident) -> frozenset[str]:
    """What the record may have written into told cells, as a draft prints it, corrected and withdrawn words too."""
    return frozenset(str(escaped(entry.text)).strip() for entry in incident.entries if entry.text)


def _entries(evidence: Evidence) -> Iterator[Row]:
    """When somebody did something is on record; what it was about are their own words."""
    for entry in evidence.incident.standing_entries:
        yield Row(entry.happened_at, deed_of(entry), (evidence.record,), entry.text)


def _notification_in_words(incident: Incident, notification: Notification) -> str:
    alerts = {alert.fingerprint: alert_in_words(alert) for alert in incident.alerts}
    parts = [
        f"{state}: {', '.join(alerts.get(fingerprint, fingerprint) for fingerprint in fingerprints)}"
        for state, fingerprints in (("firing", notification.firing), ("resolved", notification.resolved))
        if fingerprints
    ]
    missing = f"; {notification.truncated_alerts} more were left out" if notification.truncated_alerts else ""
    return f"Notification received (receiver {notification.receiver}): {'; '.join(parts)}{missing}"
