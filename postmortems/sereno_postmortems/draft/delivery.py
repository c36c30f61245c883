"""How long each alert took to be told: from its beginning or end to the notification that spoke of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sereno_backends.incidents import Incident, IncidentAlert


@dataclass(frozen=True, slots=True)
class Delivery:
    """One alert's beginning or end, and the first notification of it."""

    alert: IncidentAlert
    state: str
    """`firing` or `resolved`."""
    happened_at: datetime
    received_at: datetime | None
    """None where no notification spoke of it."""
    receiver: str

    @property
    def took(self) -> timedelta | None:
        """From the alert to the notification; below zero only where clocks differ."""
        return None if self.received_at is None else self.received_at - self.happened_at


def deliveries(incident: Incident) -> tuple[Delivery, ...]:
    """Beginnings and ends of all alerts, by time."""
    return tuple(sorted(_all(incident), key=lambda one: (one.happened_at, one.state, one.alert.fingerprint)))


def _all(incident: Incident) -> Iterator[Delivery]:
    for alert in incident.alerts:
        yield _first(incident, alert, "firing", alert.starts_at)
        if alert.ends_at is not None:
            yield _first(incident, alert, "resolved", alert.ends_at)


def _first(incident: Incident, alert: IncidentAlert, state: str, at: datetime) -> Delivery:
    """An alert may fire twice in one incident: what was received before spoke of the other time."""
    for told in incident.notifications:
        fingerprints = told.firing if state == "firing" else told.resolved
        if alert.fingerprint in fingerprints and told.received_at >= at - _CLOCKS:
            return Delivery(alert, state, at, told.received_at, told.receiver)
    return Delivery(alert, state, at, None, "")


_CLOCKS = timedelta(minutes=1)
"""By how much the clocks of Prometheus and of the receiver may differ."""
