"""What is read out of an incident's record to show it, wherever it is shown."""

from collections.abc import Sequence

from sereno_backends.incidents import EntryKind, Incident, IncidentAlert

LINKS = (
    ("runbook_url", "Runbook: what to do"),
    ("dashboard_url", "Dashboard of that time"),
    ("logs_url", "Logs of that time"),
)
"""Annotations of alerts that are addresses, and what they lead to."""


def subject_of(incident: Incident) -> str:
    """What it is about: service and SLO, else what its alerts have in common."""
    return "/".join(filter(None, (incident.service, incident.slo))) or ", ".join(incident.group_labels.values())


def impact_of(incident: Incident) -> str:
    """What users feel: as people told it last, else as the spec says."""
    return told_of(incident, EntryKind.IMPACT) or annotation_of(incident.alerts, "impact")


def told_of(incident: Incident, kind: EntryKind) -> str:
    """The latest words of people of this kind."""
    return next((entry.text for entry in reversed(incident.standing_entries) if entry.kind is kind), "")


def annotation_of(alerts: Sequence[IncidentAlert], name: str) -> str:
    """Of the youngest alert that has it: its window is the one to look at."""
    return next((alert.annotations[name] for alert in reversed(alerts) if alert.annotations.get(name)), "")
