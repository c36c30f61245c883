"""The tables of the incident database, and how files of older versions become those of this one.

Truth are the raw deliveries, the raw events of PagerDuty and the entries: they are only ever added to. Everything else
is derived from them.
"""

import sqlite3

RECORD_VERSION = 2
"""Kept in `user_version`; raise it when tables or the rules of `fold` change: the next start derives all anew."""

APPLICATION_ID = 0x5352_4943  # "SRIC": tells an incident database from other people's (and from a log store)

STATEMENTS = (
    """CREATE TABLE IF NOT EXISTS deliveries (
    content_hash TEXT PRIMARY KEY,
    received_at TEXT NOT NULL,
    body BLOB NOT NULL
)""",
    """CREATE TABLE IF NOT EXISTS delivery_slugs (
    slug TEXT NOT NULL,
    content_hash TEXT NOT NULL REFERENCES deliveries (content_hash),
    latest_start TEXT NOT NULL,
    PRIMARY KEY (slug, content_hash)
) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS delivery_slugs_by_start ON delivery_slugs (slug, latest_start)",
    """CREATE TABLE IF NOT EXISTS incidents (
    incident_id TEXT PRIMARY KEY,
    slug TEXT NOT NULL,
    status TEXT NOT NULL,
    opened_at TEXT NOT NULL,
    resolved_at TEXT,
    document TEXT NOT NULL
)""",
    "CREATE INDEX IF NOT EXISTS incidents_by_slug ON incidents (slug, opened_at)",
    "CREATE INDEX IF NOT EXISTS incidents_by_opening ON incidents (opened_at)",
    # Which incidents' names a group of Alertmanager's can touch; PagerDuty knows only the group's digest.
    """CREATE TABLE IF NOT EXISTS group_slugs (
    group_digest TEXT NOT NULL,
    slug TEXT NOT NULL,
    PRIMARY KEY (group_digest, slug)
) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS entries (
    entry_id TEXT PRIMARY KEY,
    slug TEXT NOT NULL,
    subject TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    starts_at TEXT NOT NULL,
    document TEXT NOT NULL
)""",
    "CREATE INDEX IF NOT EXISTS entries_by_slug ON entries (slug, starts_at)",
    """CREATE TABLE IF NOT EXISTS pagerduty_events (
    event_id TEXT PRIMARY KEY,
    call_id TEXT NOT NULL,
    received_at TEXT NOT NULL,
    body BLOB NOT NULL
)""",
    "CREATE INDEX IF NOT EXISTS pagerduty_events_by_call ON pagerduty_events (call_id)",
    # Until when PagerDuty's incidents of a group can concern ours: all of years have the same group.
    """CREATE TABLE IF NOT EXISTS pagerduty_calls (
    group_digest TEXT NOT NULL,
    call_id TEXT NOT NULL,
    latest_event TEXT NOT NULL,
    PRIMARY KEY (group_digest, call_id)
) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS pagerduty_calls_by_time ON pagerduty_calls (group_digest, latest_event)",
    # What people wrote is never changed, not even by a mistake of ours.
    """CREATE TRIGGER IF NOT EXISTS entries_stay BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are never changed: add one that corrects it'); END""",
    """CREATE TRIGGER IF NOT EXISTS entries_last BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are never removed: add one that withdraws it'); END""",
)


_DERIVED = ("incidents", "delivery_slugs", "group_slugs", "pagerduty_calls")
_EVENTS = "event_id, call_id, received_at, body"
# The first files of version 2 kept of each event to which group it belongs, which is told of calls now.
_WITHOUT_GROUPS = (
    "ALTER TABLE pagerduty_events RENAME TO earlier_events",
    "DROP INDEX IF EXISTS pagerduty_events_by_call",
    "DROP INDEX IF EXISTS pagerduty_events_by_group",
    *(statement for statement in STATEMENTS if " pagerduty_events " in statement),
    f"INSERT INTO pagerduty_events SELECT {_EVENTS} FROM earlier_events",  # noqa: S608 - names of ours
    "DROP TABLE earlier_events",
)


def make_tables(connection: sqlite3.Connection) -> bool:
    """Make what is missing, within the caller's transaction; whether everything derived has to be made anew.

    Files of one version number may differ in tables: what is derived is dropped first, whatever it looks like.
    """
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    has_groups = "group_digest" in _columns(connection, "pagerduty_events")
    if has_groups:
        for statement in _WITHOUT_GROUPS:
            connection.execute(statement)
    is_other = has_groups or version != RECORD_VERSION
    if is_other:
        for table in _DERIVED:
            connection.execute(f"DROP TABLE IF EXISTS {table}")
    for statement in STATEMENTS:
        connection.execute(statement)
    return is_other


def _columns(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    """Their names; none where there is no such table."""
    return frozenset(row[1] for row in connection.execute(f"PRAGMA table_info({table})"))


def is_foreign(connection: sqlite3.Connection) -> bool:
    """Whether another program's tables are in the file."""
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    return bool(tables and application != APPLICATION_ID)


def is_newer(connection: sqlite3.Connection) -> bool:
    """Whether a newer Sereno wrote the file."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return bool(version > RECORD_VERSION)
