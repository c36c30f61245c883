"""What PostgreSQL tells of itself: statements, indices, sizes, connections. Versions 13 and newer."""

import re
from typing import Any

from sqlalchemy import text

from sereno_exporters.frame.trouble import FetchError, Reason
from sereno_exporters.sql.database import Transaction
from sereno_exporters.sql.drivers.postgresql import APPLICATION_NAME
from sereno_exporters.sql.settings import Indices, Sizes, Statements
from sereno_exporters.sql.snapshot import (
    Connections,
    DatabaseSizes,
    IndexUse,
    ScannedTable,
    Statement,
    TableSize,
    UnusedIndex,
)

TEXT_CHARACTERS = 120
_FLAGS = re.IGNORECASE | re.DOTALL
_NORMALISED = re.compile(r"\s*(?:/\*.*?\*/\s*)*(select|insert|update|delete|merge|with|values|table)\b", _FLAGS)
"""Statements whose constants pg_stat_statements replaces; of others, CREATE ROLE … PASSWORD for one, it does not."""


def read_statements(settings: Statements, transaction: Transaction) -> tuple[Statement, ...]:
    """The statements of this database that took the most time in all."""
    found = transaction.rows(text(_WHERE_EXTENSION)).rows
    if not found:
        raise FetchError(
            Reason.CONFIGURATION,
            "the database has no pg_stat_statements: put it into shared_preload_libraries, restart PostgreSQL, and "
            "CREATE EXTENSION pg_stat_statements here",
        )
    rows = transaction.rows(text(_STATEMENTS.format(schema=found[0][0])), most=settings.most).rows
    if rows and all(row[0] is None for row in rows):
        raise FetchError(
            Reason.REFUSED, "other users' statements are hidden: GRANT pg_read_all_stats to the exporter's user"
        )
    return tuple(
        Statement(str(queryid), _shown(query) if settings.text else "", float(calls), total / 1000, mean / 1000)
        for queryid, query, calls, total, mean in rows
        if queryid is not None
    )


def _shown(query: str | None) -> str:
    words = " ".join((query or "").split())
    if not _NORMALISED.match(words):
        return f"{words.split(' ', 1)[0].upper()} …" if words else ""
    return words if len(words) <= TEXT_CHARACTERS else f"{words[: TEXT_CHARACTERS - 1]}…"


def read_indices(settings: Indices, transaction: Transaction) -> IndexUse:
    """Unused indices, and large tables that are read from end to end."""
    ((age,),) = transaction.rows(text(_STATISTICS_AGE)).rows
    unused = transaction.rows(text(_UNUSED), most=settings.most).rows
    scanned = transaction.rows(text(_SCANNED), most=settings.most, least=settings.large_table_rows).rows
    return IndexUse(
        max(0.0, float(age)),
        tuple(UnusedIndex(table, index, float(size)) for table, index, size in unused),
        tuple(ScannedTable(table, *_floats(counts)) for table, *counts in scanned),
    )


def read_sizes(settings: Sizes, transaction: Transaction) -> DatabaseSizes:
    """The database and its largest tables."""
    ((database, size),) = transaction.rows(text(_DATABASE_SIZE)).rows
    tables = transaction.rows(text(_TABLE_SIZES), most=settings.most_tables).rows
    return DatabaseSizes(database, float(size), tuple(TableSize(table, *_floats(sizes)) for table, *sizes in tables))


def read_connections(transaction: Transaction) -> Connections:
    """Who is connected, and since when the oldest transaction is open."""
    states = transaction.rows(text(_STATES), own=APPLICATION_NAME).rows
    ((limit, oldest),) = transaction.rows(text(_LIMIT), own=APPLICATION_NAME).rows
    by_state = tuple((database, state, float(number)) for database, state, number in states)
    return Connections(by_state, float(limit), max(0.0, float(oldest)))


def _floats(cells: list[Any]) -> list[float]:
    return [float(cell or 0) for cell in cells]


_WHERE_EXTENSION = """
    SELECT quote_ident(n.nspname)
    FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'pg_stat_statements'
"""
_STATEMENTS = """
    SELECT queryid, min(query), sum(calls), sum(total_exec_time), sum(total_exec_time) / greatest(sum(calls), 1)
    FROM {schema}.pg_stat_statements
    WHERE dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
    GROUP BY queryid ORDER BY 4 DESC, 1 LIMIT :most
"""
_STATISTICS_AGE = """
    SELECT extract(epoch FROM clock_timestamp() - coalesce(stats_reset, pg_postmaster_start_time()))
    FROM pg_catalog.pg_stat_database WHERE datname = current_database()
"""
# Pages as VACUUM and ANALYZE left them: asking for an index's files would wait for whoever locks its table.
_UNUSED = """
    SELECT s.schemaname || '.' || s.relname, s.indexrelname, c.relpages * current_setting('block_size')::bigint AS size
    FROM pg_catalog.pg_stat_user_indexes s
    JOIN pg_catalog.pg_index i ON i.indexrelid = s.indexrelid JOIN pg_catalog.pg_class c ON c.oid = s.indexrelid
    WHERE s.idx_scan = 0 AND NOT i.indisunique AND NOT i.indisexclusion AND i.indisvalid
      AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conindid = s.indexrelid)
    ORDER BY size DESC, 1, 2 LIMIT :most
"""
_SCANNED = """
    SELECT s.schemaname || '.' || s.relname, s.seq_scan, s.seq_tup_read, s.idx_scan
    FROM pg_catalog.pg_stat_user_tables s
    WHERE s.n_live_tup >= :least ORDER BY s.seq_tup_read DESC, 1 LIMIT :most
"""
_DATABASE_SIZE = "SELECT current_database(), pg_database_size(current_database())"
_TABLE_SIZES = """
    SELECT n.nspname || '.' || c.relname, pg_total_relation_size(c.oid) AS size, pg_indexes_size(c.oid)
    FROM (SELECT oid, relname, relnamespace FROM pg_catalog.pg_class WHERE relkind IN ('r', 'm')
          AND relpersistence <> 't') c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    ORDER BY size DESC, 1 LIMIT :most
"""
_STATES = """
    SELECT coalesce(datname, ''), coalesce(state, 'unknown'), count(*) FROM pg_catalog.pg_stat_activity
    WHERE backend_type = 'client backend' AND application_name IS DISTINCT FROM :own GROUP BY 1, 2
"""
_LIMIT = """
    SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
           coalesce((SELECT max(extract(epoch FROM clock_timestamp() - xact_start)) FROM pg_catalog.pg_stat_activity
                     WHERE backend_type = 'client backend' AND application_name IS DISTINCT FROM :own), 0)
"""
