"""A target as its parts: what is asked of the database, and what becomes of the answer."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, TypeVar

from prometheus_client.metrics_core import Metric

from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.model import Part, Parts, Target
from sereno_exporters.sql import families
from sereno_exporters.sql.database import Database, Transaction
from sereno_exporters.sql.parts import postgresql
from sereno_exporters.sql.parts.queries import answered, statement_of
from sereno_exporters.sql.parts.tables import read_age, read_count, read_etl
from sereno_exporters.sql.settings import EtlTable, PostgresqlParts, SqlSettings, TableFreshness, TableRows, part_name

Snapshot = TypeVar("Snapshot")
Ask = Callable[[Transaction], Any]


def source_of(target: Target[SqlSettings]) -> Parts:
    """All parts that the settings name; each asks in a transaction of its own."""
    return Parts(tuple(_parts(target.settings, Database(target))))


def _parts(settings: SqlSettings, database: Database) -> Iterator[Part[Any]]:
    def part(
        name: str,
        ask: Callable[[Transaction], Snapshot],
        become: Callable[[Snapshot], Iterable[Metric]],
        what: str,
        seconds: float = settings.timeout,
    ) -> Part[Snapshot]:
        def fetch(deadline: Deadline) -> Snapshot:
            with database.reading(deadline.earlier(seconds), what) as transaction:
                return ask(transaction)

        return Part(name, fetch, become)

    dialect = settings.dialect
    for fresh in settings.freshness:
        yield part(
            part_name("freshness", fresh.table), partial(read_age, fresh, dialect), families.of_age, _table(fresh)
        )
    for counted in settings.rows:
        yield part(
            part_name("rows", counted.table), partial(read_count, counted, dialect), families.of_count, _table(counted)
        )
    for etl in settings.etl:
        yield part(part_name("etl", etl.table), partial(read_etl, etl, dialect), families.of_etl, _table(etl))
    if settings.postgresql is not None:
        for name, ask, become in _postgresql(settings.postgresql):
            yield part(name, ask, become, "PostgreSQL's own figures")
    for query in settings.queries:
        ask_query = partial(answered, query, statement_of(query, dialect))
        yield part(f"query_{query.name}", ask_query, families.of_query, f"the query {query.name}", query.timeout)


def _table(settings: TableFreshness | TableRows | EtlTable) -> str:
    return f"the table {settings.table}"


def _postgresql(wanted: PostgresqlParts) -> Iterator[tuple[str, Ask, Callable[[Any], Iterable[Metric]]]]:
    if wanted.statements is not None:
        yield "statements", partial(postgresql.read_statements, wanted.statements), families.of_statements
    if wanted.indices is not None:
        yield "indices", partial(postgresql.read_indices, wanted.indices), families.of_indices
    if wanted.sizes is not None:
        yield "sizes", partial(postgresql.read_sizes, wanted.sizes), families.of_sizes
    if wanted.connections:
        yield "connections", postgresql.read_connections, families.of_connections
