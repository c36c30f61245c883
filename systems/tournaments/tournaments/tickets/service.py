"""What the tickets service answers (`buy`, `of_user`), announces (`ticket.sold`) and applies."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from reference_system.faults import Faults

from tournaments.catalogue.service import CREATED, LISTED, SOLD
from tournaments.database import Connection, Database, DatabaseUnavailable
from tournaments.messaging.asking import Question, Reply
from tournaments.messaging.events import Announcing, Applying, Event
from tournaments.service import Parts, Service
from tournaments.settings import ServiceSettings

LATE_AFTER_SECONDS = 10
_SCHEMA = """
CREATE TABLE IF NOT EXISTS stock (tournament text PRIMARY KEY, remaining int NOT NULL CHECK (remaining >= 0));
CREATE TABLE IF NOT EXISTS tickets (
    id text PRIMARY KEY,
    tournament text NOT NULL,
    owner text NOT NULL,
    sold_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    announced boolean NOT NULL DEFAULT false,
    listed_at timestamptz,
    late boolean NOT NULL DEFAULT false
);
ALTER TABLE tickets ADD COLUMN IF NOT EXISTS remaining int NOT NULL DEFAULT 0;
CREATE INDEX IF NOT EXISTS tickets_of ON tickets (owner, sold_at DESC);
CREATE INDEX IF NOT EXISTS tickets_pending ON tickets (sold_at) WHERE NOT announced;
CREATE INDEX IF NOT EXISTS tickets_unlisted ON tickets (sold_at) WHERE listed_at IS NULL AND NOT late;
CREATE TABLE IF NOT EXISTS totals (only_row bool PRIMARY KEY DEFAULT true CHECK (only_row),
    sold bigint NOT NULL DEFAULT 0, listed bigint NOT NULL DEFAULT 0, late bigint NOT NULL DEFAULT 0);
INSERT INTO totals DEFAULT VALUES ON CONFLICT DO NOTHING;
"""
_LATE = f"""
WITH newly AS (
    UPDATE tickets SET late = true
    WHERE listed_at IS NULL AND NOT late AND sold_at < clock_timestamp() - interval '{LATE_AFTER_SECONDS} seconds'
    RETURNING 1
)
UPDATE totals SET late = late + (SELECT count(*) FROM newly)
RETURNING sold, listed, late,
    (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(sold_at)), 0) FROM tickets WHERE listed_at IS NULL)
"""  # noqa: S608 - a number of ours
_LOCK = "SELECT remaining FROM stock WHERE tournament = %s FOR UPDATE"
_TAKE = "UPDATE stock SET remaining = %s WHERE tournament = %s"
_SOLD = "INSERT INTO tickets (id, tournament, owner, remaining) VALUES (%s, %s, %s, %s)"
_MOST_SHOWN = 50


class Tickets(Collector):
    """Tickets in a database, which also keeps their account: sold, listed, late, each counted once for ever."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.handlers = {"buy": self.buy, "of_user": self.of_user}

    def buy(self, question: Question) -> Reply:
        """A ticket; 404 where there is no such tournament (yet), 409 where all are sold.

        One for each question, however often it comes, and the same answer.
        """
        tournament, owner = str(question.arguments["tournament"]), str(question.arguments["owner"])
        number = question.product

        def take(connection: Connection) -> Reply:
            # The row is locked by this: two buyers of the last ticket come one after the other, and so does a question
            # that comes again while it is being answered.
            stock = connection.execute(_LOCK, (tournament,)).fetchone()
            if stock is None:
                return Reply(404, {"detail": "there is no such tournament, or not yet"})
            sold = connection.execute("SELECT remaining FROM tickets WHERE id = %s", (number,)).fetchone()
            if sold is not None:
                return Reply(201, {"id": number, "remaining": sold[0]})
            if stock[0] == 0:
                return Reply(409, {"detail": "all tickets are sold"})
            remaining = stock[0] - 1
            connection.execute(_TAKE, (remaining, tournament))
            connection.execute(_SOLD, (number, tournament, owner, remaining))
            connection.execute("UPDATE totals SET sold = sold + 1")
            return Reply(201, {"id": number, "remaining": remaining})

        return self._database.run(take)

    def of_user(self, question: Question) -> Reply:
        """Somebody's tickets, the newest first."""
        statement = "SELECT id, tournament FROM tickets WHERE owner = %s ORDER BY sold_at DESC LIMIT %s"
        values = (str(question.arguments["owner"]), _MOST_SHOWN)
        rows = self._database.run(lambda connection: connection.execute(statement, values).fetchall())
        return Reply(200, {"tickets": [{"id": number, "tournament": tournament} for number, tournament in rows]})

    def apply_created(self, event: Event) -> None:
        """A tournament has tickets to sell."""
        statement = "INSERT INTO stock (tournament, remaining) VALUES (%s, %s) ON CONFLICT DO NOTHING"
        values = (str(event["id"]), int(event["capacity"]))
        self._database.run(lambda connection: connection.execute(statement, values))

    def apply_listed(self, event: Event) -> None:
        """The catalogue shows a ticket as sold: counted once, however often it is told."""
        statement = "UPDATE tickets SET listed_at = clock_timestamp() WHERE id = %s AND listed_at IS NULL"

        def apply(connection: Connection) -> None:
            if connection.execute(statement, (str(event["id"]),)).rowcount:
                connection.execute("UPDATE totals SET listed = listed + 1")

        self._database.run(apply)

    def pending(self, limit: int) -> list[tuple[str, str, Event]]:
        """What isn't announced, oldest first."""
        statement = "SELECT id, tournament FROM tickets WHERE NOT announced ORDER BY sold_at LIMIT %s"
        rows = self._database.run(lambda connection: connection.execute(statement, (limit,)).fetchall())
        return [(SOLD, number, {"id": number, "tournament": tournament}) for number, tournament in rows]

    def announced(self, _: str, numbers: list[str]) -> None:
        """These are."""
        statement = "UPDATE tickets SET announced = true WHERE id = ANY(%s)"
        self._database.run(lambda connection: connection.execute(statement, (numbers,)))

    def collect(self) -> Iterable[Metric]:
        """The account of all tickets; nothing while the database can't say it, since nobody else knows."""
        try:
            row = self._database.run(lambda connection: connection.execute(_LATE.encode()).fetchone())
        except DatabaseUnavailable:
            return
        sold, listed, late, age = row or (0, 0, 0, 0)
        yield CounterMetricFamily("tickets_sold", "Tickets that were sold.", value=sold)
        yield CounterMetricFamily("tickets_listed", "Sold tickets that the catalogue shows as sold.", value=listed)
        yield CounterMetricFamily(
            "tickets_late",
            f"Sold tickets that the catalogue didn't show {LATE_AFTER_SECONDS} s later, counted once each.",
            value=late,
        )
        yield GaugeMetricFamily(
            "tickets_oldest_unlisted_age_seconds", "Age of the oldest that isn't shown; 0 if none is.", value=age
        )

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked of the database when it is registered."""
        return ()


def _parts(
    settings: ServiceSettings,  # noqa: ARG001 - every service's words
    database: Database,
    faults: Faults,  # noqa: ARG001
    registry: CollectorRegistry,
) -> Parts:
    tickets = Tickets(database)
    registry.register(tickets)
    handlers: Mapping[str, Callable[[Event], None]] = {CREATED: tickets.apply_created, LISTED: tickets.apply_listed}
    announcing = Announcing(tickets.pending, tickets.announced, registry)
    return Parts(tickets.handlers, (announcing, Applying("tickets.events", handlers, registry)))


SERVICE = Service("tickets", _SCHEMA, (), _parts)
