"""Accounts and trainings in the database; what changes them puts its event into the outbox within the same commit."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString, cast

from fitness.database import Database
from fitness.events import Training, TrainingType
from fitness.tokens import Role
from fitness.users.outbox import ADD, Outgoing

SCHEMA = (
    "CREATE SCHEMA IF NOT EXISTS users",
    """
    CREATE TABLE IF NOT EXISTS users.accounts (
        id text PRIMARY KEY,
        name text NOT NULL UNIQUE,
        password text NOT NULL,
        role text NOT NULL,
        blocked boolean NOT NULL DEFAULT false
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS users.trainings (
        id text PRIMARY KEY,
        account_id text NOT NULL REFERENCES users.accounts,
        type text NOT NULL,
        minutes integer NOT NULL,
        at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX IF NOT EXISTS trainings_of_account ON users.trainings (account_id, at DESC)",
)
_SIGN_UP = """
INSERT INTO users.accounts (id, name, password, role) VALUES (%(id)s, %(name)s, %(password)s, %(role)s)
ON CONFLICT (name) DO NOTHING RETURNING id
"""
_ADMIN = """
INSERT INTO users.accounts (id, name, password, role) VALUES (%(id)s, %(name)s, %(password)s, 'admin')
ON CONFLICT (name) DO UPDATE SET password = excluded.password
"""
_NAMED = "SELECT id, password, role, blocked FROM users.accounts WHERE name = %(value)s"
_WITH_ID = "SELECT id, password, role, blocked FROM users.accounts WHERE id = %(value)s"
_BLOCK = "UPDATE users.accounts SET blocked = %(blocked)s WHERE id = %(id)s AND blocked <> %(blocked)s RETURNING id"
_ADD_TRAINING = """
INSERT INTO users.trainings (id, account_id, type, minutes, at)
SELECT %(id)s, id, %(type)s, %(minutes)s, %(at)s FROM users.accounts WHERE id = %(account)s AND NOT blocked
RETURNING id
"""
_TRAININGS = """
SELECT id, type, minutes, at FROM users.trainings WHERE account_id = %(account)s ORDER BY at DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who signed up."""

    id: str
    password: str
    """As `passwords.hashed` wrote it."""
    role: Role
    blocked: bool


@dataclass(frozen=True, slots=True)
class StoredTraining:
    """A training that somebody created."""

    id: str
    at: datetime
    training: Training


class Accounts:
    """The tables of the users service. Every method raises `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ensure_admin(self, account_id: str, name: str, password: str) -> None:
        """There is an administrator, with this (hashed) password."""
        with self._database.transaction() as connection:
            connection.execute(_ADMIN, {"id": account_id, "name": name, "password": password})

    def sign_up(self, account_id: str, name: str, password: str, event: Outgoing) -> bool:
        """Add a member; False if the name is taken."""
        with self._database.transaction() as connection:
            new = {"id": account_id, "name": name, "password": password, "role": "member"}
            added = connection.execute(_SIGN_UP, new).fetchone() is not None
            if added:
                connection.execute(ADD, event.row())
        return added

    def named(self, name: str) -> Account | None:
        """The account with this name."""
        return self._find(_NAMED, name)

    def with_id(self, account_id: str) -> Account | None:
        """The account with this id."""
        return self._find(_WITH_ID, account_id)

    def log_in(self, event: Outgoing) -> None:
        """Somebody has logged in: nothing but the event."""
        with self._database.transaction() as connection:
            connection.execute(ADD, event.row())

    def block(self, account_id: str, event: Outgoing, *, blocked: bool) -> bool:
        """Block an account or let it in again; False if nothing had to change."""
        with self._database.transaction() as connection:
            changed = connection.execute(_BLOCK, {"id": account_id, "blocked": blocked}).fetchone() is not None
            if changed:
                connection.execute(ADD, event.row())
        return changed

    def add_training(self, account_id: str, stored: StoredTraining, event: Outgoing) -> bool:
        """Add a training; False if the account is blocked, or isn't there."""
        what = {"type": stored.training.type, "minutes": stored.training.minutes, "at": stored.at}
        with self._database.transaction() as connection:
            added = connection.execute(_ADD_TRAINING, {"id": stored.id, "account": account_id, **what}).fetchone()
            if added is not None:
                connection.execute(ADD, event.row())
        return added is not None

    def trainings(self, account_id: str, limit: int) -> tuple[StoredTraining, ...]:
        """Those of an account, newest first."""
        with self._database.transaction() as connection:
            rows = connection.execute(_TRAININGS, {"account": account_id, "limit": limit}).fetchall()
        return tuple(
            StoredTraining(each.id, each.at, Training(type=cast("TrainingType", each.type), minutes=each.minutes))
            for each in rows
        )

    def _find(self, query: LiteralString, value: str) -> Account | None:
        with self._database.transaction() as connection:
            row = connection.execute(query, {"value": value}).fetchone()
        return None if row is None else Account(row.id, row.password, cast("Role", row.role), row.blocked)
