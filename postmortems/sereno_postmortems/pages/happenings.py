"""What happened in an incident, in one order: alerts, what was sent, what people did."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sereno_backends.incidents import Incident, IncidentEntry

from sereno_postmortems.entry_words import SAYINGS as DEEDS
from sereno_postmortems.entry_words import Saying, saying_of

_FIRES, _ENDS, _TOLD = "{severity} fires: {name}", "{severity} ends: {name}", "told by {receiver}: {status}"
SAYINGS = DEEDS | {_FIRES, _ENDS, _TOLD}
"""All that happenings say, for whoever translates it."""


class By(StrEnum):
    """Whose deed it was; also the class of its line."""

    MACHINE = "machine"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the page."""

    at: datetime
    by: By
    saying: Saying
    words: str = ""
    """Of people."""
    entry: IncidentEntry | None = None

    @property
    def what(self) -> str:
        """What it was, in English."""
        return str(self.saying)


def happenings(incident: Incident) -> list[Happening]:
    """The youngest first: whoever opens the page wants to know what was done last."""
    found = [*_of_alerts(incident), *_of_notifications(incident), *map(_of_entry, incident.standing_entries)]
    return sorted(found, key=lambda one: one.at, reverse=True)


def _of_alerts(incident: Incident) -> Iterator[Happening]:
    for alert in incident.alerts:
        values = {
            "severity": alert.severity or "alert",
            "name": alert.annotations.get("summary") or alert.name,
        }
        yield Happening(alert.starts_at, By.MACHINE, Saying(_FIRES, values))
        if alert.ends_at is not None:
            yield Happening(alert.ends_at, By.MACHINE, Saying(_ENDS, values))


def _of_notifications(incident: Incident) -> Iterator[Happening]:
    """What was told first by each way; repetitions are no news."""
    seen: set[tuple[str, str]] = set()
    for notification in incident.notifications:
        key = notification.receiver, notification.status.value
        if key not in seen:
            seen.add(key)
            values = {"receiver": notification.receiver, "status": notification.status.value}
            yield Happening(notification.received_at, By.MACHINE, Saying(_TOLD, values))


def _of_entry(entry: IncidentEntry) -> Happening:
    by = By.PERSON if entry.by_person else By.MACHINE
    return Happening(entry.happened_at, by, saying_of(entry), entry.text, entry)
