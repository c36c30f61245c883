"""What people write stays as it was written, hangs on what never changes, and is one entry however often it comes."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sereno_backends.incidents import EntryKind, Incident, IncidentEntry
from sereno_postmortems.documents import incident_document, incident_from_document
from sereno_postmortems.entries import NotAnEntry, Submission, read_submission, submission_body
from sereno_postmortems.store import (
    EntryIdTaken,
    EntryRefused,
    IncidentStore,
    IncidentStoreUnavailable,
    NoSuchIncident,
    Recorded,
)
from sereno_postmortems.webhook import Delivery, NotJson, read_delivery
from support.incidents import PAGE, TICKET, at, reported, webhook

BASE_ID = "2026-11-22-transactions-api-availability"


@pytest.fixture
def store(tmp_path: Path) -> IncidentStore:
    """A record of one page."""
    made = IncidentStore(tmp_path / "i.sqlite")
    made.prepare()
    deliver(made, webhook([reported(PAGE, at(10), at(10, 30))]))
    return made


def deliver(store: IncidentStore, body: dict[str, Any]) -> None:
    """Give the store what Alertmanager sends."""
    raw = json.dumps(body).encode()
    delivery = read_delivery(raw, at(12))
    assert isinstance(delivery, Delivery)
    store.record(delivery, raw)


def told(entry_id: str, kind: str = "note", text: str = "words", **more: Any) -> Submission:
    """What a client sends."""
    read = read_submission(json.dumps({"id": entry_id, "kind": kind, "text": text, **more}).encode())
    assert isinstance(read, Submission), read
    return read


def the_incident(store: IncidentStore, incident_id: str = BASE_ID) -> Incident:
    """The incident of that id."""
    incident = store.incident(incident_id)
    assert incident is not None
    return incident


def test_an_entry_is_in_the_record_with_author_and_both_times(store: IncidentStore) -> None:
    """Who, when it happened, when it was written, kind, words and whether it helped are kept, through JSON too."""
    sent = told("e1", "mitigation", "rolled back", at="2026-11-22T10:12:00Z", helped=True)
    written = store.write(BASE_ID, sent, author="ana", now=at(11))
    incident = the_incident(store)
    (entry,) = incident.entries
    assert (written.entry, written.outcome) == (entry, Recorded.STORED)
    assert (entry.author, entry.happened_at, entry.written_at) == ("ana", at(10, 12), at(11))
    assert (entry.kind, entry.text, entry.helped) == (EntryKind.MITIGATION, "rolled back", True)
    assert incident_from_document(incident_document(incident)) == incident
    assert read_submission(json.dumps(submission_body(sent)).encode()) == sent


def test_the_same_entry_again_is_one_and_another_under_its_id_is_refused(store: IncidentStore) -> None:
    """A client that heard no answer may send again, also later; an id never changes what it stands for."""
    store.write(BASE_ID, told("e1"), author="ana", now=at(11))
    again = store.write(BASE_ID, told("e1"), author="ana", now=at(11, 5))
    assert (again.outcome, again.entry.written_at) == (Recorded.DUPLICATE, at(11))
    for changed, author in ((told("e1", text="other"), "ana"), (told("e1"), "ben"), (told("e1", "impact"), "ana")):
        with pytest.raises(EntryIdTaken):
            store.write(BASE_ID, changed, author=author, now=at(11, 6))
    assert len(the_incident(store).entries) == 1


def test_a_correction_stands_in_place_of_what_stays_on_record(store: IncidentStore) -> None:
    """Corrected and withdrawn entries remain, and count no more; only an entry of the incident can be corrected."""
    store.write(BASE_ID, told("e1", "acknowledgement", ""), author="ana", now=at(10, 5))
    store.write(BASE_ID, told("e2", text="401 everywhere"), author="ana", now=at(10, 6))
    store.write(BASE_ID, told("e3", text="403 everywhere", corrects="e2"), author="ben", now=at(10, 9))
    store.write(BASE_ID, told("e4", "withdrawal", "not mine", corrects="e1"), author="ana", now=at(10, 10))
    incident = the_incident(store)
    assert {entry.entry_id: entry.happened_at for entry in incident.entries} == {
        "e1": at(10, 5),
        "e2": at(10, 6),
        "e3": at(10, 6),  # said again, it happened when it did
        "e4": at(10, 10),
    }
    assert [entry.entry_id for entry in incident.standing_entries] == ["e3"]
    assert incident.acknowledgement is None
    with pytest.raises(EntryRefused, match="no entry e9"):
        store.write(BASE_ID, told("e5", corrects="e9"), author="ana", now=at(10, 11))


def test_a_correction_that_is_withdrawn_brings_back_what_it_corrected() -> None:
    """Somebody corrected the wrong entry, and took that back: the acknowledgement stands again."""
    moment = at(10)

    def entry(number: int, kind: EntryKind, corrects: str | None = None) -> IncidentEntry:
        written = moment + timedelta(minutes=number)
        return IncidentEntry(f"e{number}", kind, "Ana", moment, written, "", corrects=corrects)

    taken = entry(1, EntryKind.ACKNOWLEDGEMENT)
    entries = (taken, entry(2, EntryKind.NOTE, "e1"), entry(3, EntryKind.WITHDRAWAL, "e2"))
    incident = Incident("x", "s", "o", {}, moment, None, (), (), entries)
    assert incident.standing_entries == (taken,)
    assert replace(incident, entries=entries[:2]).acknowledgement is None


def test_entries_can_not_be_changed_or_removed_by_anybody(store: IncidentStore, tmp_path: Path) -> None:
    """The database itself refuses it."""
    store.write(BASE_ID, told("e1"), author="ana", now=at(11))
    with closing(sqlite3.connect(tmp_path / "i.sqlite", isolation_level=None)) as connection:
        for statement in ("UPDATE entries SET document = '{}'", "DELETE FROM entries"):
            with pytest.raises(sqlite3.IntegrityError, match="never"):
                connection.execute(statement)


def test_entries_follow_their_incident_through_renumbering_and_joining(store: IncidentStore) -> None:
    """A late delivery renumbers a day, another joins two incidents: each entry is where its alert is."""
    deliver(store, webhook([reported(PAGE, at(12), at(12, 30))]))
    store.write(BASE_ID, told("first"), author="ana", now=at(12, 1))
    store.write(f"{BASE_ID}-2", told("second"), author="ana", now=at(12, 2))
    deliver(store, webhook([reported(PAGE, at(8), at(8, 30))]))
    where = {one.incident_id: [entry.entry_id for entry in one.entries] for one in store.incidents()}
    assert where == {BASE_ID: [], f"{BASE_ID}-2": ["first"], f"{BASE_ID}-3": ["second"]}
    again = store.write(f"{BASE_ID}-2", told("first"), author="ana", now=at(12, 3))
    assert again.outcome is Recorded.DUPLICATE
    deliver(store, webhook([reported(TICKET, at(10, 20), at(13))]))
    where = {one.incident_id: [entry.entry_id for entry in one.entries] for one in store.incidents()}
    assert where == {BASE_ID: [], f"{BASE_ID}-2": ["first", "second"]}


def test_an_entry_hangs_on_the_alert_that_had_begun_last(store: IncidentStore) -> None:
    """Where an incident falls apart, because a lost end becomes known, words about its second part go with that."""
    deliver(store, webhook([reported(TICKET, at(14))]))
    deliver(store, webhook([reported(PAGE, at(16), at(17))]))
    store.write(f"{BASE_ID}-2", told("late", at="2026-11-22T16:10:00Z"), author="ana", now=at(18))
    store.write(f"{BASE_ID}-2", told("right", corrects="late", at="2026-11-22T14:10:00Z"), author="ana", now=at(18))
    deliver(store, webhook([reported(TICKET, at(14), at(14, 30))]))
    where = {one.incident_id: [entry.entry_id for entry in one.entries] for one in store.incidents()}
    assert where == {BASE_ID: [], f"{BASE_ID}-2": [], f"{BASE_ID}-3": ["right", "late"]}


def test_what_contradicts_the_record_is_refused(store: IncidentStore, tmp_path: Path) -> None:
    """An unknown incident, a time to come, a missing file: told, and nothing is written or made."""
    with pytest.raises(NoSuchIncident):
        store.write("2026-11-22-nothing", told("e1"), author="ana", now=at(11))
    with pytest.raises(EntryRefused, match="still to come"):
        store.write(BASE_ID, told("e1", at="2026-11-22T11:06:00Z"), author="ana", now=at(11))
    assert the_incident(store).entries == ()
    with pytest.raises(IncidentStoreUnavailable, match="no such file"):
        IncidentStore(tmp_path / "nix.sqlite").upgrade()
    assert not (tmp_path / "nix.sqlite").exists()


GOOD = {"id": "e1", "kind": "note", "text": "words"}
WRONG = {
    "no object": ([], "body"),
    "id missing": ({"kind": "note", "text": "x"}, "id"),
    "id with a path": ({**GOOD, "id": "../x"}, "id"),
    "id of PagerDuty": ({**GOOD, "id": "pagerduty-1"}, "id"),
    "unknown kind": ({**GOOD, "kind": "assignment"}, "kind"),
    "no words": ({**GOOD, "text": " \n "}, "text"),
    "words too many": ({**GOOD, "text": "x" * 10_001}, "text"),
    "escape codes": ({**GOOD, "text": "\x1b[2J"}, "text"),
    "NUL": ({**GOOD, "text": "a\x00b"}, "text"),
    "author of two lines": ({**GOOD, "author": "ana\nben"}, "author"),
    "author of spaces": ({**GOOD, "author": "  "}, "author"),
    "time without zone": ({**GOOD, "at": "2026-11-22T10:00:00"}, "at"),
    "time as number": ({**GOOD, "at": 1795341600}, "at"),
    "time before time": ({**GOOD, "at": "0001-01-01T00:00:00Z"}, "at"),
    "a note that helped": ({**GOOD, "helped": True}, "helped"),
    "helped as word": ({**GOOD, "kind": "mitigation", "helped": "yes"}, "helped"),
    "misspelt key": ({**GOOD, "kind": "mitigation", "helpd": True}, "helpd"),
    "a link that runs": ({**GOOD, "kind": "link", "text": "javascript:alert(1)"}, "text"),
    "withdrawal of nothing": ({**GOOD, "kind": "withdrawal"}, "corrects"),
}


@pytest.mark.parametrize(("body", "place"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_entry_is_told_with_its_place(body: Any, place: str) -> None:
    """Whatever isn't an entry is refused, naming the field."""
    read = read_submission(json.dumps(body).encode())
    assert isinstance(read, NotAnEntry)
    assert [problem.split(":")[0] for problem in read.problems] == [place]


@pytest.mark.parametrize("body", [b"", b"{", b'{"id": "\xff"}', b'{"text": "\\ud800"}', b"[" * 100_000])
def test_what_is_no_json_is_told(body: bytes) -> None:
    """Nothing is raised for bytes of any kind."""
    assert isinstance(read_submission(body), NotJson)


OLD_TABLES = """
CREATE TABLE deliveries (content_hash TEXT PRIMARY KEY, received_at TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE delivery_slugs (
    slug TEXT NOT NULL, content_hash TEXT NOT NULL REFERENCES deliveries (content_hash), latest_start TEXT NOT NULL,
    PRIMARY KEY (slug, content_hash)) WITHOUT ROWID;
CREATE TABLE incidents (
    incident_id TEXT PRIMARY KEY, slug TEXT NOT NULL, status TEXT NOT NULL, opened_at TEXT NOT NULL, resolved_at TEXT,
    document TEXT NOT NULL);
"""


def test_a_database_of_the_first_version_is_read_and_upgraded(store: IncidentStore, tmp_path: Path) -> None:
    """Its incidents can be listed as it is; the first entry gives it the tables, and PagerDuty finds its groups."""
    old = tmp_path / "old.sqlite"
    before = store.incidents()
    with closing(sqlite3.connect(old, isolation_level=None)) as connection:
        connection.executescript(f"PRAGMA application_id = {0x53524943}; PRAGMA user_version = 1; {OLD_TABLES}")
        connection.execute("ATTACH ? AS new", (str(tmp_path / "i.sqlite"),))
        for table in ("deliveries", "delivery_slugs", "incidents"):
            connection.execute(f"INSERT INTO {table} SELECT * FROM new.{table}")  # noqa: S608 - names of ours
        connection.execute("UPDATE incidents SET document = json_remove(document, '$.entries')")
    upgraded = IncidentStore(old)
    assert upgraded.incidents() == before
    upgraded.upgrade()
    assert upgraded.incidents() == before
    upgraded.write(BASE_ID, told("e1"), author="ana", now=at(11))
    assert [entry.entry_id for entry in the_incident(upgraded).entries] == ["e1"]
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("SELECT count(*) FROM group_slugs").fetchone() == (1,)
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
