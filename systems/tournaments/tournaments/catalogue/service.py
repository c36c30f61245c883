"""What the catalogue answers (`newest`, `one`, `create`), announces and applies."""

from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from reference_system.faults import FaultKind, Faults

from tournaments.database import Connection, Database
from tournaments.messaging.asking import Question, Reply
from tournaments.messaging.events import Announcing, Applying, Event
from tournaments.service import Parts, Service
from tournaments.settings import ServiceSettings

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tournaments (
    position bigint GENERATED ALWAYS AS IDENTITY,
    id text PRIMARY KEY,
    name text NOT NULL,
    capacity int NOT NULL,
    sold int NOT NULL DEFAULT 0,
    announced boolean NOT NULL DEFAULT false
);
CREATE TABLE IF NOT EXISTS listed (ticket text PRIMARY KEY, announced boolean NOT NULL DEFAULT false);
CREATE INDEX IF NOT EXISTS tournaments_newest ON tournaments (position DESC);
CREATE INDEX IF NOT EXISTS tournaments_pending ON tournaments (position) WHERE NOT announced;
CREATE INDEX IF NOT EXISTS listed_pending ON listed (ticket) WHERE NOT announced;
"""
CATALOGUE_STUCK = FaultKind("catalogue-stuck", "Events are not applied: tickets that are sold don't show as sold.")
CREATED, LISTED, SOLD = "tournament.created", "ticket.listed", "ticket.sold"
_LARGEST_CAPACITY = 100_000


class Catalogue:
    """Tournaments in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.handlers = {"newest": self.newest, "one": self.one, "create": self.create}

    def newest(self, question: Question) -> Reply:
        """The tournaments that were made last."""
        limit = max(1, min(100, int(question.arguments.get("limit", 20))))
        statement = "SELECT id, name, capacity, sold FROM tournaments ORDER BY position DESC LIMIT %s"
        rows = self._database.run(lambda connection: connection.execute(statement, (limit,)).fetchall())
        return Reply(200, {"tournaments": [_described(row) for row in rows]})

    def one(self, question: Question) -> Reply:
        """One tournament; 404 where there is none."""
        number = str(question.arguments["id"])
        statement = "SELECT id, name, capacity, sold FROM tournaments WHERE id = %s"
        row = self._database.run(lambda connection: connection.execute(statement, (number,)).fetchone())
        return Reply(404, {"detail": "there is no such tournament"}) if row is None else Reply(200, _described(row))

    def create(self, question: Question) -> Reply:
        """A new tournament: one for each question, however often it comes."""
        name, capacity = str(question.arguments["name"]), int(question.arguments["capacity"])
        if not name or not 0 < capacity <= _LARGEST_CAPACITY:
            return Reply(422, {"detail": f"a tournament has a name and a capacity from 1 to {_LARGEST_CAPACITY}"})
        number = question.product
        statement = "INSERT INTO tournaments (id, name, capacity) VALUES (%s, %s, %s) ON CONFLICT (id) DO NOTHING"
        self._database.run(lambda connection: connection.execute(statement, (number, name, capacity)))
        return Reply(201, {"id": number})

    def apply_sold(self, event: Event) -> None:
        """A ticket was sold: once for each ticket, however often it is told."""
        ticket, tournament = str(event["id"]), str(event["tournament"])

        def apply(connection: Connection) -> None:
            is_new = connection.execute("INSERT INTO listed (ticket) VALUES (%s) ON CONFLICT DO NOTHING", (ticket,))
            if is_new.rowcount:
                connection.execute("UPDATE tournaments SET sold = sold + 1 WHERE id = %s", (tournament,))

        self._database.run(apply)

    def pending(self, limit: int) -> list[tuple[str, str, Event]]:
        """What isn't announced, oldest first."""

        def read(connection: Connection) -> list[tuple[str, str, Event]]:
            made = connection.execute(
                "SELECT id, capacity FROM tournaments WHERE NOT announced ORDER BY position LIMIT %s", (limit,)
            ).fetchall()
            listed = connection.execute("SELECT ticket FROM listed WHERE NOT announced LIMIT %s", (limit,)).fetchall()
            return [
                *((CREATED, number, {"id": number, "capacity": capacity}) for number, capacity in made),
                *((LISTED, ticket, {"id": ticket}) for (ticket,) in listed),
            ]

        return self._database.run(read)

    def announced(self, kind: str, numbers: list[str]) -> None:
        """These are."""
        statement = {
            CREATED: "UPDATE tournaments SET announced = true WHERE id = ANY(%s)",
            LISTED: "UPDATE listed SET announced = true WHERE ticket = ANY(%s)",
        }[kind]
        self._database.run(lambda connection: connection.execute(statement.encode(), (numbers,)))


def _described(row: tuple[Any, ...]) -> Mapping[str, Any]:
    number, name, capacity, sold = row
    return {"id": number, "name": name, "capacity": capacity, "sold": sold}


def _parts(_: ServiceSettings, database: Database, faults: Faults, registry: CollectorRegistry) -> Parts:
    catalogue = Catalogue(database)
    applying = Applying(
        "catalogue.events",
        {SOLD: catalogue.apply_sold},
        registry,
        is_stuck=lambda: faults.active(CATALOGUE_STUCK) is not None,
    )
    return Parts(catalogue.handlers, (Announcing(catalogue.pending, catalogue.announced, registry), applying))


SERVICE = Service("catalogue", _SCHEMA, (CATALOGUE_STUCK,), _parts)
