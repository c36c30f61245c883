"""When the incident's alerts were pending: Alertmanager never hears of it, only Prometheus knows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sereno_backends.incidents import Incident, IncidentAlert
from sereno_backends.prometheus import Series

from sereno_postmortems.draft.facts import Fact, Measured, NotMeasured, Question, joined
from sereno_postmortems.draft.metrics_source import Metrics
from sereno_postmortems.draft.queries import Selector
from sereno_postmortems.draft.windows import Window

LONGEST_PENDING = timedelta(hours=6)
"""How far before the opening pending samples are looked for; `for` of a page or ticket is far shorter."""

LARGEST_GAP = timedelta(minutes=5)
"""Samples further apart belong to different times of being pending: no rule group is evaluated more seldom."""

SLO_LABELS = ("service", "slo")


@dataclass(frozen=True, slots=True)
class Pending:
    """One alert that was pending before it fired."""

    alert: IncidentAlert
    since: datetime
    """The first evaluation at which its expression held."""


@dataclass(frozen=True, slots=True)
class AlertEvidence:
    """What Prometheus knows of the incident's alerts."""

    pending: Fact[tuple[Pending, ...]]
    """Empty when none was pending: rules without `for` fire at once."""
    firing_now: Fact[int] | None
    """How many of an open incident's alerts Prometheus holds as firing now; None for a resolved incident."""


def ask_alerts(metrics: Metrics, incident: Incident, now: datetime) -> AlertEvidence:
    """Ask for the alerts' own series."""
    window = Window(incident.opened_at - LONGEST_PENDING, incident.resolved_at or now)
    return AlertEvidence(
        pending=_pending(metrics, incident, window),
        firing_now=_firing_now(metrics, incident, now) if incident.resolved_at is None else None,
    )


def first_sign(incident: Incident, pending: Fact[tuple[Pending, ...]]) -> datetime:
    """When the first alert became pending, or fired if none was known to be pending."""
    known = pending.value if isinstance(pending, Measured) else ()
    return min((incident.opened_at, *(found.since for found in known)))


def _pending(metrics: Metrics, incident: Incident, window: Window) -> Fact[tuple[Pending, ...]]:
    found: list[Pending] = []
    sources: tuple[Question, ...] = ()
    for selector in _selectors(incident, "pending"):
        answer = metrics.stored(selector, window)
        if isinstance(answer, NotMeasured):
            return answer
        sources = joined(sources, answer.sources)
        found += [
            Pending(alert, since)
            for alert in incident.alerts
            if (since := _pending_since(alert, _of_alert(alert, answer.value))) is not None
        ]
    return Measured(tuple(sorted(found, key=lambda one: one.since)), sources)


def _firing_now(metrics: Metrics, incident: Incident, now: datetime) -> Fact[int]:
    count = 0
    sources: tuple[Question, ...] = ()
    for selector in _selectors(incident, "firing"):
        answer = metrics.samples(str(selector), now)
        if isinstance(answer, NotMeasured):
            return answer
        count += len(answer.value)
        sources = joined(sources, answer.sources)
    return Measured(count, sources)


def _selectors(incident: Incident, state: str) -> list[Selector]:
    """One for each alert name, narrowed to the SLO where the alerts carry it."""
    slo = {name: value for name, value in incident.group_labels.items() if name in SLO_LABELS}
    names = dict.fromkeys(alert.name for alert in incident.alerts)
    return [Selector("ALERTS", {"alertname": name, "alertstate": state, **slo}) for name in names]


def _of_alert(alert: IncidentAlert, series: Iterable[Series]) -> list[Series]:
    """The series whose labels the alert has; Alertmanager's alert may have more (external labels of Prometheus)."""
    return [
        one
        for one in series
        if all(alert.labels.get(k) == v for k, v in one.labels.items() if k not in {"__name__", "alertstate"})
    ]


def _pending_since(alert: IncidentAlert, series: Sequence[Series]) -> datetime | None:
    """The beginning of the unbroken pending samples that lead up to the alert's start."""
    points = sorted((point.timestamp for one in series for point in one.points), reverse=True)
    since: datetime | None = None
    expected_until = alert.starts_at
    for timestamp in points:
        if timestamp >= alert.starts_at:
            continue
        if expected_until - timestamp > LARGEST_GAP:
            break
        since = expected_until = timestamp
    return since
