"""What people did, put to the incidents that it concerns: a pure function of sets, as the fold of alerts is."""

from collections.abc import Iterable
from dataclasses import replace

from sereno_backends.incidents import Incident

from sereno_postmortems.entries import AnchoredEntry
from sereno_postmortems.pagerduty import PagerDutyEvent, entries_of


def with_deeds(
    incidents: Iterable[Incident], entries: Iterable[AnchoredEntry], events: Iterable[PagerDutyEvent]
) -> tuple[Incident, ...]:
    """The incidents with their entries, by the time when they happened. Each incident is decided alone."""
    all_entries, all_events = tuple(entries), tuple(events)
    return tuple(_with_deeds(incident, all_entries, all_events) for incident in incidents)


def _with_deeds(incident: Incident, entries: tuple[AnchoredEntry, ...], events: tuple[PagerDutyEvent, ...]) -> Incident:
    written = (one.entry for one in entries if one.anchor.holds(incident))
    # By id: what came twice is one.
    found = {entry.entry_id: entry for entry in (*written, *entries_of(incident, events))}
    return replace(
        incident, entries=tuple(sorted(found.values(), key=lambda entry: (entry.happened_at, entry.entry_id)))
    )
