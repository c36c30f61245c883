"""The families that are ready-made, and what becomes of a snapshot. Pure."""

from collections.abc import Iterable

from prometheus_client.metrics_core import Metric

from sereno_exporters.frame.model import Family, FamilyKind
from sereno_exporters.sql.snapshot import (
    Connections,
    DatabaseSizes,
    EtlStage,
    IndexUse,
    QueryAnswer,
    Statement,
    TableAge,
    TableCount,
)

GAUGE, COUNTER = FamilyKind.GAUGE, FamilyKind.COUNTER

TABLE_AGE = Family(
    "sereno_sql_table_age_seconds",
    GAUGE,
    "Age of the newest row of a table, by the database's own clock; no series while the table is empty.",
    ("table",),
)
TABLE_ROWS = Family(
    "sereno_sql_table_rows",
    GAUGE,
    "Rows of a table: counted, or as the database's statistics estimate them.",
    ("table", "counted"),
)
_STAGE = ("table", "pipeline", "stage")
ETL_IN = Family("sereno_sql_etl_rows_in_total", COUNTER, "Rows that all runs of an ETL stage took in.", _STAGE)
ETL_OUT = Family("sereno_sql_etl_rows_out_total", COUNTER, "Rows that all runs of an ETL stage gave on.", _STAGE)
ETL_REJECTED = Family(
    "sereno_sql_etl_rows_rejected_total", COUNTER, "Rows that all runs of an ETL stage rejected.", _STAGE
)
ETL_AGE = Family(
    "sereno_sql_etl_stage_age_seconds",
    GAUGE,
    "How long ago the last run of an ETL stage ended, by the database.",
    _STAGE,
)
_STATEMENT = ("queryid", "statement")
STATEMENT_CALLS = Family(
    "sereno_sql_statement_calls_total", COUNTER, "How often one of the slowest statements was executed.", _STATEMENT
)
STATEMENT_SECONDS = Family(
    "sereno_sql_statement_seconds_total", COUNTER, "Time that one of the slowest statements took in all.", _STATEMENT
)
STATEMENT_MEAN = Family(
    "sereno_sql_statement_mean_seconds",
    GAUGE,
    "Mean time of one execution since the statistics were reset; for now, divide the rate of seconds by that of calls.",
    _STATEMENT,
)
STATISTICS_AGE = Family(
    "sereno_sql_statistics_age_seconds",
    GAUGE,
    "Since when PostgreSQL counts scans of tables and indices: its last reset, else the server's start.",
)
UNUSED_INDEX = Family(
    "sereno_sql_index_unused_bytes",
    GAUGE,
    "Size of an index that no scan used since the statistics began, and that keeps nothing unique.",
    ("table", "index"),
)
SEQUENTIAL_SCANS = Family(
    "sereno_sql_table_sequential_scans_total", COUNTER, "How often a large table was read from end to end.", ("table",)
)
SEQUENTIAL_ROWS = Family(
    "sereno_sql_table_sequential_rows_total", COUNTER, "Rows of a large table read without an index.", ("table",)
)
INDEX_SCANS = Family(
    "sereno_sql_table_index_scans_total", COUNTER, "Scans of a large table by its indices.", ("table",)
)
DATABASE_SIZE = Family("sereno_sql_database_size_bytes", GAUGE, "Disk that the database takes.", ("database",))
TABLE_SIZE = Family(
    "sereno_sql_table_size_bytes", GAUGE, "Disk that one of the largest tables takes, its indices included.", ("table",)
)
TABLE_INDEX_SIZE = Family("sereno_sql_table_index_size_bytes", GAUGE, "Disk that a table's indices take.", ("table",))
CONNECTIONS = Family(
    "sereno_sql_connections", GAUGE, "Clients connected to the server, by database and state.", ("database", "state")
)
CONNECTIONS_LIMIT = Family(
    "sereno_sql_connections_limit", GAUGE, "Connections that ordinary users can have (max_connections)."
)
OLDEST_TRANSACTION = Family(
    "sereno_sql_oldest_transaction_age_seconds", GAUGE, "Age of the oldest open transaction of a client; 0 without one."
)

ALL = (
    TABLE_AGE,
    TABLE_ROWS,
    ETL_IN,
    ETL_OUT,
    ETL_REJECTED,
    ETL_AGE,
    STATEMENT_CALLS,
    STATEMENT_SECONDS,
    STATEMENT_MEAN,
    STATISTICS_AGE,
    UNUSED_INDEX,
    SEQUENTIAL_SCANS,
    SEQUENTIAL_ROWS,
    INDEX_SCANS,
    DATABASE_SIZE,
    TABLE_SIZE,
    TABLE_INDEX_SIZE,
    CONNECTIONS,
    CONNECTIONS_LIMIT,
    OLDEST_TRANSACTION,
)


def of_query(answer: QueryAnswer) -> Iterable[Metric]:
    """A user's query: NULL has no sample."""
    for index, family in enumerate(answer.families):
        numbers = ((row.labels, row.values[index]) for row in answer.rows)
        yield family.of((labels, number) for labels, number in numbers if number is not None)


def of_age(table: TableAge) -> Iterable[Metric]:
    """A table's freshness."""
    yield TABLE_AGE.of([((table.table,), table.age_seconds)] if table.age_seconds is not None else [])


def of_count(table: TableCount) -> Iterable[Metric]:
    """A table's rows."""
    yield TABLE_ROWS.of([((table.table, table.counted), table.rows)])


def of_etl(stages: tuple[str, tuple[EtlStage, ...]]) -> Iterable[Metric]:
    """The stages that a table of runs tells of; a column that isn't mapped has no series."""
    table, found = stages
    columns = [
        (ETL_IN, [each.rows_in for each in found]),
        (ETL_OUT, [each.rows_out for each in found]),
        (ETL_REJECTED, [each.rows_rejected for each in found]),
        (ETL_AGE, [each.age_seconds for each in found]),
    ]
    for family, numbers in columns:
        pairs = zip(found, numbers, strict=True)
        yield family.of(((table, each.pipeline, each.stage), number) for each, number in pairs if number is not None)


def of_statements(statements: tuple[Statement, ...]) -> Iterable[Metric]:
    """The slowest statements."""
    yield STATEMENT_CALLS.of(((each.queryid, each.text), each.calls) for each in statements)
    yield STATEMENT_SECONDS.of(((each.queryid, each.text), each.total_seconds) for each in statements)
    yield STATEMENT_MEAN.of(((each.queryid, each.text), each.mean_seconds) for each in statements)


def of_indices(use: IndexUse) -> Iterable[Metric]:
    """Indices that nobody uses, and tables that perhaps lack one."""
    yield STATISTICS_AGE.value(use.statistics_age_seconds)
    yield UNUSED_INDEX.of(((each.table, each.index), each.size_bytes) for each in use.unused)
    yield SEQUENTIAL_SCANS.of(((each.table,), each.sequential_scans) for each in use.scanned)
    yield SEQUENTIAL_ROWS.of(((each.table,), each.sequential_rows) for each in use.scanned)
    yield INDEX_SCANS.of(((each.table,), each.index_scans) for each in use.scanned)


def of_sizes(sizes: DatabaseSizes) -> Iterable[Metric]:
    """The database and its largest tables."""
    yield DATABASE_SIZE.of([((sizes.database,), sizes.size_bytes)])
    yield TABLE_SIZE.of(((each.table,), each.size_bytes) for each in sizes.tables)
    yield TABLE_INDEX_SIZE.of(((each.table,), each.index_bytes) for each in sizes.tables)


def of_connections(connections: Connections) -> Iterable[Metric]:
    """Who is connected."""
    yield CONNECTIONS.of(((database, state), number) for database, state, number in connections.by_state)
    yield CONNECTIONS_LIMIT.value(connections.limit)
    yield OLDEST_TRANSACTION.value(connections.oldest_transaction_seconds)
