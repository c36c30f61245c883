"""Deliveries, events of PagerDuty and entries in any order, repeated: the record is a function of their sets."""

import hashlib
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sereno_backends.incidents import EntryKind, Incident
from sereno_postmortems.deeds import with_deeds
from sereno_postmortems.entries import AnchoredEntry, Submission, anchored
from sereno_postmortems.fold import fold
from sereno_postmortems.pagerduty import PagerDutyEvent, read_event
from sereno_postmortems.store import IncidentStore, Recorded
from sereno_postmortems.webhook import Delivery, read_delivery
from support.incidents import PAGE, TICKET, at, reported, webhook
from support.pagerduty import event

LABELS = [PAGE, TICKET, {**PAGE, "slo": "avail/ability"}, {**PAGE, "slo": "latency"}]
GROUPS = ["group of pages", "group of tickets"]

Step: TypeAlias = dict[str, Any] | int
"""A delivery (it has alerts), an event of PagerDuty, or a note about the incident of that place in the list."""


@st.composite
def deliveries(draw: st.DrawFn) -> dict[str, Any]:
    """One or two alerts within three days, lasting nothing to a day, of one of two groups."""
    alerts = []
    for _ in range(draw(st.integers(1, 2))):
        starts_at = at(0) + timedelta(hours=draw(st.integers(0, 24)) * 3)
        hours = draw(st.none() | st.sampled_from([0, 1, 4, 24]))
        ends_at = None if hours is None else starts_at + timedelta(hours=hours)
        alerts.append(reported(draw(st.sampled_from(LABELS)), starts_at, ends_at))
    return webhook(alerts, groupKey=draw(st.sampled_from(GROUPS)))


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """What somebody did with one of three of PagerDuty's incidents; some before any page, some of unknown groups."""
    call = draw(st.integers(0, 2))
    group = draw(st.sampled_from([*GROUPS, "a group of others"]))
    created_at = at(0) + timedelta(hours=call * 24)
    kind = draw(st.sampled_from(["triggered", "acknowledged", "annotated", "resolved"]))
    happened_at = created_at + timedelta(hours=draw(st.integers(0, 60)))
    key = hashlib.sha256(group.encode()).hexdigest()
    return event(kind, happened_at, key=key, call=f"P{call}", created_at=created_at, content="words")


def a_note_before_its_call() -> list[Step]:
    """PagerDuty's note comes first, without a key; then the page, then what tells of which group the note was."""
    key = hashlib.sha256(GROUPS[0].encode()).hexdigest()
    return [
        event("annotated", at(10, 9), content="words"),
        webhook([reported(PAGE, at(10), at(11))], groupKey=GROUPS[0]),
        event("acknowledged", at(10, 3), key=key, created_at=at(10)),
    ]


@given(st.lists(deliveries() | deliveries() | events() | st.integers(0, 3), min_size=2, max_size=12))
@example(a_note_before_its_call())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_record_is_a_function_of_what_was_told(steps: Sequence[Step]) -> None:
    """After every step the record equals that of folding all at once; another order, all of it twice, ends the same."""
    told: list[Delivery] = []
    seen: list[PagerDutyEvent] = []
    written: list[AnchoredEntry] = []
    with TemporaryDirectory() as directory:
        store = IncidentStore(Path(directory) / "i.sqlite")
        store.prepare()
        with store.held_open():
            for minute, step in enumerate(steps):
                if isinstance(step, int):
                    written.extend(_note(store, step, minute))
                else:
                    _take(store, step, minute, told, seen)
                assert by_id(store.incidents()) == by_id(with_deeds(fold(told), written, seen))
        again = IncidentStore(Path(directory) / "again.sqlite")
        again.prepare()
        with again.held_open():
            for minute, step in [*reversed(list(enumerate(steps))), *enumerate(steps)]:
                if not isinstance(step, int):
                    _take(again, step, minute, [], [])
        assert facts(again.incidents()) == facts(with_deeds(fold(told), [], seen))


def _take(
    store: IncidentStore, step: dict[str, Any], minute: int, told: list[Delivery], seen: list[PagerDutyEvent]
) -> None:
    raw, received_at = json.dumps(step).encode(), at(23) + timedelta(minutes=minute)
    if "alerts" in step:
        delivery = read_delivery(raw, received_at)
        assert isinstance(delivery, Delivery)
        store.record(delivery, raw)
        told.append(delivery)
    else:
        found = read_event(raw, received_at)
        assert isinstance(found, PagerDutyEvent)
        if store.record_event(found, raw) is Recorded.STORED:
            seen.append(found)


def _note(store: IncidentStore, place: int, minute: int) -> list[AnchoredEntry]:
    """Write about an incident that is on record, if there are so many; twice, which is once."""
    on_record = store.incidents()
    if place >= len(on_record):
        return []
    incident = on_record[place]
    note = Submission(f"e{minute}", EntryKind.NOTE, "words", "ana", incident.opened_at + timedelta(hours=place))
    now = at(23) + timedelta(days=9)
    entry = store.write(incident.incident_id, note, author="ana", now=now).entry
    assert store.write(incident.incident_id, note, author="ana", now=now).outcome is Recorded.DUPLICATE
    return [anchored(incident, entry)]


def by_id(incidents: Sequence[Incident]) -> dict[str, Incident]:
    """Incidents by their id."""
    return {incident.incident_id: incident for incident in incidents}


def facts(incidents: Sequence[Incident]) -> dict[str, object]:
    """What doesn't depend on when something was received first."""
    return {
        one.incident_id: (
            one.opened_at,
            one.resolved_at,
            one.alerts,
            [(entry.entry_id, entry.kind, entry.happened_at, entry.people) for entry in one.entries],
        )
        for one in incidents
    }
