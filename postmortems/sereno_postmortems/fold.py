"""From deliveries to incidents: a pure function of the *set* of deliveries, so their order can't matter.

The rules, in alert time (startsAt, endsAt), never in the order of arrival:

1. The subject of an alert is its labels service and slo; without these, the labels that Alertmanager grouped by.
   Pages and tickets of one service and SLO therefore belong together, whatever route brought them.
2. Fingerprint and startsAt identify one time of firing. It has ended when any delivery says so (a firing report that
   arrives later is a late one), at the latest end that was reported.
3. Two facts overrule rule 2. A delivery that reports it firing *and* tells of something younger than that end was made
   afterwards: it fires again. And an alert that began anew has ended before that, even if nobody said so (Alertmanager
   lost its state, or `send_resolved` is off): a lost resolution neither keeps an incident open nor joins two.
4. What began to be inhibited after it was told has an end that Alertmanager doesn't tell. It has ended, too, once its
   group is told as resolved without it: what still fired and was inhibited by others of its SLO would be in there.
   Should it fire on all the same (it was silenced, or another SLO inhibits it), its true end, which is told, is later.
5. Times of firing of one subject that overlap are one incident. One that begins after all others ended is a new one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import TypeAlias

from sereno_backends.incidents import AlertStatus, Incident, IncidentAlert, Notification

from sereno_postmortems.naming import incident_ids, slug
from sereno_postmortems.webhook import Delivery, ReportedAlert

JUST_BEFORE = timedelta(microseconds=1)

Subject: TypeAlias = tuple[tuple[str, str], ...]
"""Labels by name, sorted."""

FiringKey: TypeAlias = tuple[str, datetime]
"""Fingerprint and start: one time of firing."""


@dataclass(frozen=True, slots=True)
class _Report:
    """One alert in one delivery."""

    delivery: Delivery
    alert: ReportedAlert

    @property
    def key(self) -> FiringKey:
        return (self.alert.fingerprint, self.alert.starts_at)


def fold(deliveries: Iterable[Delivery], *, since: datetime | None = None) -> tuple[Incident, ...]:
    """The incidents that these deliveries tell of, by opening time; repeated deliveries count once, as first received.

    All deliveries of a slug (see `starts_by_slug`) must be given, or numbers in ids differ; others may be missing.
    With `since`, only times of firing that began then or later count, and only deliveries that tell of one must be
    given. That gives the right incidents if `since` is a midnight (UTC) and no incident of the slug lasted beyond it.
    """
    reports: defaultdict[Subject, list[_Report]] = defaultdict(list)
    for delivery in _distinct(deliveries):
        for alert in delivery.alerts:
            if not alert.is_watchdog and (since is None or alert.starts_at >= since):
                reports[_subject(delivery, alert)].append(_Report(delivery, alert))
    incidents = [incident for subject, told in reports.items() for incident in _incidents(subject, told)]
    return _with_ids(incidents)


def starts_by_slug(delivery: Delivery) -> Mapping[str, tuple[datetime, ...]]:
    """The names of all incidents that a delivery can touch, without date and number, and the starts of its alerts."""
    starts: defaultdict[str, list[datetime]] = defaultdict(list)
    for alert in delivery.alerts:
        if not alert.is_watchdog:
            starts[_slug(_subject(delivery, alert))].append(alert.starts_at)
    return {name: tuple(times) for name, times in starts.items()}


def incident_slug(incident: Incident) -> str:
    """The name of an incident without date and number."""
    return _slug(tuple(sorted(incident.group_labels.items())))


def _distinct(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """Each content once, as first received, in an order that doesn't depend on the input's."""
    ordered = sorted(deliveries, key=lambda delivery: (delivery.received_at, delivery.content_hash))
    first: dict[str, Delivery] = {}
    for delivery in ordered:
        first.setdefault(delivery.content_hash, delivery)
    return list(first.values())


def _subject(delivery: Delivery, alert: ReportedAlert) -> Subject:
    labels = alert.labels
    if "service" in labels and "slo" in labels:
        return (("service", labels["service"]), ("slo", labels["slo"]))
    return tuple(sorted(delivery.group_labels.items())) or (("alertname", labels.get("alertname", "")),)


def _slug(subject: Subject) -> str:
    return slug(value for _, value in subject)


def _incidents(subject: Subject, reports: Sequence[_Report]) -> list[Incident]:
    """The incidents of one subject, still without ids."""
    by_key: defaultdict[FiringKey, list[_Report]] = defaultdict(list)
    for report in reports:
        by_key[report.key].append(report)
    alerts = [_alert(told) for told in by_key.values()]
    unheard = {
        (alert.fingerprint, alert.starts_at): _unheard_end(by_key[alert.fingerprint, alert.starts_at], reports)
        for alert in alerts
        if alert.ends_at is None
    }
    ended = [_ended_earlier(alert, unheard) for alert in _ended_by_successor(alerts)]
    return [_incident(subject, together, reports) for together in _overlapping(ended)]


def _ended_earlier(alert: IncidentAlert, unheard: Mapping[FiringKey, datetime | None]) -> IncidentAlert:
    """What nobody told the end of has ended at the first sign: its group was resolved without it, or it began anew."""
    end = unheard.get((alert.fingerprint, alert.starts_at))
    return alert if end is None else replace(alert, ends_at=end if alert.ends_at is None else min(end, alert.ends_at))


def _alert(reports: Sequence[_Report]) -> IncidentAlert:
    """One time of firing, from everything reported about it (in the order of receipt)."""
    ends = [report.alert.ends_at for report in reports if report.alert.ends_at is not None]
    firing = [report for report in reports if report.alert.status is AlertStatus.FIRING]
    ends_at = max(ends, default=None)
    if ends_at is not None and any(_made_not_before(report.delivery) > ends_at for report in firing):
        ends_at = None
    first = (firing or list(reports))[0].alert
    return IncidentAlert(
        fingerprint=first.fingerprint,
        labels=first.labels,
        annotations=first.annotations,
        starts_at=first.starts_at,
        ends_at=ends_at,
        generator_url=first.generator_url,
    )


def _unheard_end(told: Sequence[_Report], of_subject: Sequence[_Report]) -> datetime | None:
    """When its group was resolved without it, after it was last told; None: never, or nobody knows."""
    groups = {(report.delivery.receiver, report.delivery.group_key) for report in told}
    last_told = max(_made_not_before(report.delivery) for report in told)
    resolved: dict[str, datetime] = {}  # by delivery; only of this subject's alerts, which are folded together
    for report in of_subject:
        delivery = report.delivery
        is_whole = delivery.status is AlertStatus.RESOLVED and not delivery.truncated_alerts
        if is_whole and (delivery.receiver, delivery.group_key) in groups:
            moments = (resolved.get(delivery.content_hash), report.alert.starts_at, report.alert.ends_at)
            resolved[delivery.content_hash] = max(moment for moment in moments if moment is not None)
    return min((moment for moment in resolved.values() if moment > last_told), default=None)


def _made_not_before(delivery: Delivery) -> datetime:
    """The youngest moment that a delivery tells of: Alertmanager can't have made it earlier."""
    return max(moment for alert in delivery.alerts for moment in (alert.starts_at, alert.ends_at) if moment is not None)


def _ended_by_successor(alerts: Iterable[IncidentAlert]) -> list[IncidentAlert]:
    """An alert can't fire twice at a time: one without an end has ended before its next time of firing began."""
    ordered = sorted(alerts, key=lambda alert: (alert.fingerprint, alert.starts_at))
    ended: list[IncidentAlert] = []
    for alert, successor in zip(ordered, [*ordered[1:], None], strict=True):
        same = successor is not None and successor.fingerprint == alert.fingerprint
        if successor is not None and same and alert.ends_at is None:
            ended.append(replace(alert, ends_at=successor.starts_at - JUST_BEFORE))
        else:
            ended.append(alert)
    return sorted(ended, key=lambda alert: (alert.starts_at, alert.fingerprint))


def _overlapping(alerts: Sequence[IncidentAlert]) -> list[list[IncidentAlert]]:
    """Alerts, given by start, cut where one begins after all before it have ended."""
    groups: list[list[IncidentAlert]] = []
    for alert in alerts:
        end = _end(groups[-1]) if groups else None
        if groups and (end is None or alert.starts_at <= end):
            groups[-1].append(alert)
        else:
            groups.append([alert])
    return groups


def _end(alerts: Iterable[IncidentAlert]) -> datetime | None:
    """The latest end; None if one has none."""
    latest: datetime | None = None
    for alert in alerts:
        if alert.ends_at is None:
            return None
        latest = alert.ends_at if latest is None else max(latest, alert.ends_at)
    return latest


def _incident(subject: Subject, alerts: Sequence[IncidentAlert], reports: Sequence[_Report]) -> Incident:
    labels: Mapping[str, str] = dict(subject)
    keys = {(alert.fingerprint, alert.starts_at) for alert in alerts}
    return Incident(
        incident_id="",  # numbers need the neighbours: `_with_ids`
        service=labels.get("service", ""),
        slo=labels.get("slo", ""),
        group_labels=labels,
        opened_at=alerts[0].starts_at,
        resolved_at=_end(alerts),
        alerts=tuple(alerts),
        notifications=_notifications([report for report in reports if report.key in keys]),
    )


def _notifications(reports: Iterable[_Report]) -> tuple[Notification, ...]:
    """One for each delivery among the reports, which are in the order of receipt."""
    notifications = []
    for _, group in groupby(reports, key=lambda report: report.delivery.content_hash):
        told = list(group)
        delivery, alerts = told[0].delivery, [report.alert for report in told]
        notifications.append(
            Notification(
                received_at=delivery.received_at,
                status=delivery.status,
                receiver=delivery.receiver,
                group_key=delivery.group_key,
                firing=_fingerprints(alerts, AlertStatus.FIRING),
                resolved=_fingerprints(alerts, AlertStatus.RESOLVED),
                truncated_alerts=delivery.truncated_alerts,
            )
        )
    return tuple(notifications)


def _fingerprints(alerts: Iterable[ReportedAlert], status: AlertStatus) -> tuple[str, ...]:
    return tuple(dict.fromkeys(alert.fingerprint for alert in alerts if alert.status is status))


def _with_ids(incidents: Iterable[Incident]) -> tuple[Incident, ...]:
    """Numbered within each slug by opening time; subjects that share a slug share the numbers."""

    def age(incident: Incident) -> tuple[datetime, list[tuple[str, str]]]:
        return incident.opened_at, sorted(incident.group_labels.items())

    by_slug: defaultdict[str, list[Incident]] = defaultdict(list)
    for incident in sorted(incidents, key=age):
        by_slug[incident_slug(incident)].append(incident)
    named = [
        replace(incident, incident_id=incident_id)
        for name, same in by_slug.items()
        for incident_id, incident in zip(
            incident_ids(name, [incident.opened_at for incident in same]), same, strict=True
        )
    ]
    return tuple(sorted(named, key=lambda incident: (incident.opened_at, incident.incident_id)))
