"""Incidents derived anew from what is stored, within the transaction that added to it."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from sereno_backends.incidents import Incident, IncidentEntry

from sereno_postmortems.deeds import with_deeds
from sereno_postmortems.documents import incident_document
from sereno_postmortems.entries import Anchor, AnchoredEntry, anchored, entry_from_text, entry_text
from sereno_postmortems.fold import fold, incident_slug
from sereno_postmortems.pagerduty import CLOCKS_DIFFER, PagerDutyEvent, group_digest, read_event
from sereno_postmortems.webhook import Delivery, read_delivery

BEFORE_ALL_TIMES = datetime(1, 1, 1, tzinfo=UTC)


class Damaged(Exception):  # noqa: N818 - reads as what happened
    """Something stored isn't what was written; the message says what."""


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
    with as_stored("an entry"):
        return [
            AnchoredEntry(
                entry_from_text(document), Anchor(json.loads(subject), fingerprint, datetime.fromisoformat(starts_at))
            )
            for subject, fingerprint, starts_at, document in rows
        ]


def stored_delivery(body: bytes, received_at: str) -> Delivery:
    """A delivery from its raw body, which was read before. Raises `Damaged`."""
    with as_stored("a delivery"):
        delivery = read_delivery(body, datetime.fromisoformat(received_at))
    if not isinstance(delivery, Delivery):
        raise Damaged(f"a delivery can't be read any more: {delivery}")
    return delivery


def _stored_event(body: bytes, received_at: str) -> PagerDutyEvent:
    with as_stored("an event of PagerDuty"):
        event = read_event(body, datetime.fromisoformat(received_at))
    if not isinstance(event, PagerDutyEvent):
        raise Damaged(f"an event of PagerDuty can't be read any more: {event}")
    return event


@contextmanager
def as_stored(what: str) -> Iterator[None]:
    """What we wrote can be read, or the file was damaged. Raises `Damaged`."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise Damaged(f"{what} can't be read any more: {type(error).__name__}") from error
