"""Incidents derived anew from what is stored, within the transaction that added to it."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from sereno_backends.incidents import Incident, IncidentEntry

from sereno_postmortems.deeds import with_deeds
from sereno_postmortems.documents import incident_document
from sereno_postmortems.entries import Anchor, AnchoredEntry, anchored, entry_from_text, entry_text
from sereno_postmortems.fold import fold, incident_slug, starts_by_slug
from sereno_postmortems.pagerduty import CLOCKS_DIFFER, PagerDutyEvent, group_digest, read_event
from sereno_postmortems.schema import RECORD_VERSION
from sereno_postmortems.webhook import Delivery, read_delivery

BEFORE_ALL_TIMES = datetime(1, 1, 1, tzinfo=UTC)


def touched_since(connection: sqlite3.Connection, slug: str, earliest_start: datetime) -> datetime:
    """From when on incidents of a slug may change by alerts that began at `earliest_start` or later.

    A midnight, because incidents are numbered within a day, that no incident lasted beyond, because what overlaps
    belongs together. So a delivery costs what its days cost, however long the record is.
    """
    since = earliest_start
    while True:
        midnight = since.replace(hour=0, minute=0, second=0, microsecond=0)
        (opened_at,) = connection.execute(
            "SELECT min(opened_at) FROM incidents WHERE slug = ? AND (resolved_at IS NULL OR resolved_at >= ?)",
            (slug, time_text(midnight)),
        ).fetchone()
        earlier = midnight if opened_at is None else min(midnight, datetime.fromisoformat(opened_at))
        if earlier == since:
            return since
        since = earlier


def refold(connection: sqlite3.Connection, slug: str, since: datetime) -> None:
    """Replace a slug's incidents that were opened since then by those that everything stored tells of now."""
    rows = connection.execute(
        "SELECT body, received_at FROM deliveries JOIN delivery_slugs USING (content_hash)"
        " WHERE slug = ? AND latest_start >= ?",
        (slug, time_text(since)),
    )
    deliveries = [stored_delivery(body, received_at) for body, received_at in rows]
    folded = [incident for incident in fold(deliveries, since=since) if incident_slug(incident) == slug]
    events = calls_of_groups(connection, {group_digest(delivery.group_key) for delivery in deliveries}, since)
    incidents = with_deeds(folded, _entries(connection, slug, since), events)
    connection.execute("DELETE FROM incidents WHERE slug = ? AND opened_at >= ?", (slug, time_text(since)))
    connection.executemany(
        "INSERT INTO incidents VALUES (?, ?, ?, ?, ?, ?)",
        [
            (
                incident.incident_id,
                slug,
                incident.status.value,
                time_text(incident.opened_at),
                incident.resolved_at and time_text(incident.resolved_at),
                json.dumps(incident_document(incident)),
            )
            for incident in incidents
        ],
    )


def calls_of_groups(connection: sqlite3.Connection, digests: Iterable[str], since: datetime) -> list[PagerDutyEvent]:
    """All events of PagerDuty's incidents of these groups that may concern incidents opened since then."""
    earliest = time_text(since - CLOCKS_DIFFER) if since > BEFORE_ALL_TIMES else ""
    found: list[PagerDutyEvent] = []
    for digest in sorted(digests):
        calls = connection.execute(
            "SELECT call_id FROM pagerduty_calls WHERE group_digest = ? AND latest_event >= ?", (digest, earliest)
        ).fetchall()
        for (call_id,) in calls:
            found.extend(events_of_call(connection, call_id))
    return found


def events_of_call(connection: sqlite3.Connection, call_id: str) -> Sequence[PagerDutyEvent]:
    """All events of one of PagerDuty's incidents."""
    rows = connection.execute("SELECT body, received_at FROM pagerduty_events WHERE call_id = ?", (call_id,))
    return [_stored_event(body, received_at) for body, received_at in rows]


def note_call(connection: sqlite3.Connection, call_id: str) -> Sequence[PagerDutyEvent]:
    """Note until when one of PagerDuty's incidents can concern ours; all of its events."""
    call = events_of_call(connection, call_id)
    latest_event = time_text(max(one.occurred_at for one in call))
    connection.executemany(
        "INSERT OR REPLACE INTO pagerduty_calls VALUES (?, ?, ?)",
        [(digest, call_id, latest_event) for digest in groups_of(call)],
    )
    return call


def groups_of(call: Iterable[PagerDutyEvent]) -> list[str]:
    """The groups of Alertmanager's that one of PagerDuty's incidents is about."""
    return sorted({one.group_digest for one in call if one.group_digest is not None})


def note_delivery(connection: sqlite3.Connection, delivery: Delivery) -> Mapping[str, tuple[datetime, ...]]:
    """Note which incidents' names a delivery can touch; the starts of its alerts by these names."""
    digest = group_digest(delivery.group_key)
    starts_of = starts_by_slug(delivery)
    for slug, starts in starts_of.items():
        row = (slug, delivery.content_hash, time_text(max(starts)))
        connection.execute("INSERT INTO delivery_slugs VALUES (?, ?, ?)", row)
        connection.execute("INSERT OR IGNORE INTO group_slugs VALUES (?, ?)", (digest, slug))
    return starts_of


def derive_all_anew(connection: sqlite3.Connection) -> None:
    """Fill the derived tables, which are empty, from deliveries, events and entries."""
    slugs: set[str] = set()
    for body, received_at in connection.execute("SELECT body, received_at FROM deliveries").fetchall():
        slugs.update(note_delivery(connection, stored_delivery(body, received_at)))
    for (call_id,) in connection.execute("SELECT DISTINCT call_id FROM pagerduty_events").fetchall():
        note_call(connection, call_id)
    for slug in sorted(slugs):
        refold(connection, slug, BEFORE_ALL_TIMES)
    connection.execute(f"PRAGMA user_version = {RECORD_VERSION}")


def insert_entry(connection: sqlite3.Connection, incident: Incident, entry: IncidentEntry) -> datetime:
    """Add an entry of an incident; the start of the alert that it hangs on.

    A correction hangs where the corrected entry does, so that no late delivery can part them.
    """
    corrected = connection.execute(
        "SELECT slug, subject, fingerprint, starts_at FROM entries WHERE entry_id = ?", (entry.corrects,)
    ).fetchone()
    anchor = anchored(incident, entry).anchor
    place = corrected or (
        incident_slug(incident),
        json.dumps(anchor.subject, sort_keys=True),
        anchor.fingerprint,
        time_text(anchor.starts_at),
    )
    connection.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", (entry.entry_id, *place, entry_text(entry)))
    return datetime.fromisoformat(place[3])


def time_text(moment: datetime) -> str:
    """A time in UTC, always of one width, so that the order of texts is the order of times."""
    return moment.isoformat(timespec="microseconds")


def _entries(connection: sqlite3.Connection, slug: str, since: datetime) -> list[AnchoredEntry]:
    rows = connection.execute(
        "SELECT subject, fingerprint, starts_at, document FROM entries WHERE slug = ? AND starts_at >= ?",
        (slug, time_text(since)),
    )
    return [
        AnchoredEntry(
            entry_from_text(document), Anchor(json.loads(subject), fingerprint, datetime.fromisoformat(starts_at))
        )
        for subject, fingerprint, starts_at, document in rows
    ]


def stored_delivery(body: bytes, received_at: str) -> Delivery:
    """A delivery from its raw body, which was read before."""
    delivery = read_delivery(body, datetime.fromisoformat(received_at))
    if not isinstance(delivery, Delivery):
        raise TypeError(f"a stored delivery can't be read any more: {delivery}")
    return delivery


def _stored_event(body: bytes, received_at: str) -> PagerDutyEvent:
    event = read_event(body, datetime.fromisoformat(received_at))
    if not isinstance(event, PagerDutyEvent):
        raise TypeError(f"a stored event can't be read any more: {event}")
    return event
