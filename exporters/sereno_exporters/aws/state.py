"""What the exporter remembers over restarts, in a file of SQLite: its counters, and what it asked for.

Nothing is kept in memory besides: each change reads, counts and writes within one transaction. As counting the same
answer again changes nothing, two exporters that share a file by mistake are right, too.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import orjson

from sereno_exporters.aws.snapshot import Series, Spent
from sereno_exporters.aws.tally import Tally
from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.trouble import FetchError, Reason

APPLICATION_ID = 0x5352_4157  # "SRAW": tells it from other people's databases, and from Sereno's others
STATE_VERSION = 1
"""Files of version 0 have the same tables, and no application id."""
_TABLES = frozenset({"tallies", "calls", "spent"})
_SCHEMA = """
CREATE TABLE IF NOT EXISTS tallies (
    scope TEXT, family TEXT, resource TEXT, settled_until INTEGER NOT NULL, settled INTEGER NOT NULL,
    pending TEXT NOT NULL, newest INTEGER, lost_minutes INTEGER NOT NULL, PRIMARY KEY (scope, family, resource)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calls (
    scope TEXT, api TEXT, outcome TEXT, calls INTEGER NOT NULL, PRIMARY KEY (scope, api, outcome)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spent (
    scope TEXT, day INTEGER, calls INTEGER NOT NULL, metrics INTEGER NOT NULL, PRIMARY KEY (scope, day)
) WITHOUT ROWID;
"""
_DAY_SECONDS = 86_400
_EVER = -1
"""The row of `spent` that sums up all days."""
_LONGEST_WAIT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class DayLimits:
    """What may be asked in a day."""

    calls: int
    metrics: int


class State:
    """The file, as one target sees it. Thread-safe: each use opens it anew."""

    def __init__(self, path: Path, scope: str) -> None:
        self._path = path
        self._scope = scope
        # Parts of a target begin at once: one that waits for another too long is late, and no file is damaged.
        self._turn = Lock()

    def tallies(
        self,
        wanted: Sequence[Series],
        change: Callable[[Series, Tally | None], Tally],
        deadline: Deadline,
    ) -> dict[Series, Tally]:
        """The tallies of these series after a change, which is all of them or none.

        Args:
            wanted: which.
            change: from what is known of a series (None: nothing yet) to what is known from now on.
            deadline: until when to wait for another who writes.
        """
        with self._writing(deadline) as database:
            found = {series: self._read(database, series) for series in wanted}
            changed = {series: change(series, tally) for series, tally in found.items()}
            database.executemany(
                "INSERT OR REPLACE INTO tallies VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [self._row(series, tally) for series, tally in changed.items() if tally != found[series]],
            )
        return changed

    def reserve(self, metrics: int, limits: DayLimits, now: float, deadline: Deadline) -> None:
        """Take a call that asks for so many metrics out of the day's budget, before it is made.

        Raises:
            FetchError: the budget doesn't hold it.
        """
        day = int(now // _DAY_SECONDS)
        with self._writing(deadline) as database:
            calls_today, metrics_today = self._spent(database, day)
            if calls_today + 1 > limits.calls or metrics_today + metrics > limits.metrics:
                is_calls = calls_today + 1 > limits.calls
                key, limit = ("calls_a_day", limits.calls) if is_calls else ("metrics_a_day", limits.metrics)
                raise FetchError(
                    Reason.CONFIGURATION,
                    f"the budget is used up, {key}: {limit}, until 00:00 UTC; raise it, or a longer interval asks less",
                )
            for row in (day, _EVER):
                database.execute(
                    "INSERT INTO spent VALUES (?, ?, 1, ?) ON CONFLICT DO UPDATE"
                    " SET calls = calls + 1, metrics = metrics + excluded.metrics",
                    (self._scope, row, metrics),
                )
            database.execute("DELETE FROM spent WHERE scope = ? AND day BETWEEN 0 AND ?", (self._scope, day - 7))

    def note(self, api: str, outcome: str, deadline: Deadline) -> None:
        """Count a call that was made."""
        with self._writing(deadline) as database:
            database.execute(
                "INSERT INTO calls VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET calls = calls + 1",
                (self._scope, api, outcome),
            )

    def spent(self, limits: DayLimits, now: float, deadline: Deadline) -> Spent:
        """What was asked until now."""
        with self._writing(deadline) as database:
            rows = database.execute("SELECT api, outcome, calls FROM calls WHERE scope = ?", (self._scope,))
            calls = {(str(api), str(outcome)): int(number) for api, outcome, number in rows}
            calls_today, metrics_today = self._spent(database, int(now // _DAY_SECONDS))
            _, metrics = self._spent(database, _EVER)
        return Spent(calls, metrics, calls_today, metrics_today, limits.calls, limits.metrics)

    def _spent(self, database: sqlite3.Connection, day: int) -> tuple[int, int]:
        found = database.execute("SELECT calls, metrics FROM spent WHERE scope = ? AND day = ?", (self._scope, day))
        calls, metrics = found.fetchone() or (0, 0)
        return int(calls), int(metrics)

    def _read(self, database: sqlite3.Connection, series: Series) -> Tally | None:
        found = database.execute(
            "SELECT settled_until, settled, pending, newest, lost_minutes FROM tallies"
            " WHERE scope = ? AND family = ? AND resource = ?",
            (self._scope, series.metric.family.name, series.resource),
        ).fetchone()
        if found is None:
            return None
        settled_until, settled, pending, newest, lost_minutes = found
        minutes: Mapping[str, int] = orjson.loads(pending)
        return Tally(settled_until, settled, {int(key): value for key, value in minutes.items()}, newest, lost_minutes)

    def _row(self, series: Series, tally: Tally) -> tuple[str | int | None, ...]:
        pending = orjson.dumps({str(minute): value for minute, value in tally.pending.items()}).decode()
        key = (self._scope, series.metric.family.name, series.resource)
        return (*key, tally.settled_until, tally.settled, pending, tally.newest, tally.lost_minutes)

    @contextmanager
    def _writing(self, deadline: Deadline) -> Iterator[sqlite3.Connection]:
        """A transaction; what raises rolls it back."""
        wait_seconds = min(_LONGEST_WAIT_SECONDS, deadline.seconds_left())
        if not self._turn.acquire(timeout=wait_seconds):
            raise FetchError(Reason.TIMEOUT, f"the state in {self._path} is kept busy by other parts")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=wait_seconds, isolation_level=None)) as database:
                self._refuse_others(database)
                database.execute("PRAGMA journal_mode = WAL")
                database.execute("PRAGMA synchronous = NORMAL")
                database.execute("BEGIN IMMEDIATE")
                try:
                    self._make_tables(database)
                    yield database
                    database.execute("COMMIT")
                except BaseException:
                    database.execute("ROLLBACK")
                    raise
        except (sqlite3.Error, OSError, orjson.JSONDecodeError) as error:
            raise FetchError(
                Reason.CONFIGURATION,
                f"the state in {self._path} can't be used: {error}; mend it, or move it away: counters begin at 0 then",
            ) from error
        finally:
            self._turn.release()

    def _refuse_others(self, database: sqlite3.Connection) -> None:
        """Before anything is changed."""
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        (application,) = database.execute("PRAGMA application_id").fetchone()
        (version,) = database.execute("PRAGMA user_version").fetchone()
        is_unmarked = not application and not version and tables <= _TABLES
        if application != APPLICATION_ID and not is_unmarked:
            message = f"the state_file {self._path} belongs to another program: name another one"
        elif version > STATE_VERSION:
            message = f"the state_file {self._path} was written by a newer Sereno: upgrade this one"
        else:
            return
        raise FetchError(Reason.CONFIGURATION, message)

    def _make_tables(self, database: sqlite3.Connection) -> None:
        """Within the transaction; `executescript` would commit it."""
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {STATE_VERSION}")
        for statement in _SCHEMA.split(";"):
            if statement.strip():
                database.execute(statement)
