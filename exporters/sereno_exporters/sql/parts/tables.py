"""Freshness and rows of tables, and what ETL stages did."""

from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, TableClause, column, func, null, quoted_name, select, table, text

from sereno_exporters.frame.model import FamilyKind
from sereno_exporters.frame.trouble import FetchError, Reason
from sereno_exporters.sql.cells import NotThis, label_of, number_of
from sereno_exporters.sql.database import Transaction
from sereno_exporters.sql.parts.clocks import age_seconds
from sereno_exporters.sql.settings import EtlTable, TableFreshness, TableRows
from sereno_exporters.sql.snapshot import EtlStage, TableAge, TableCount
from sereno_exporters.sql.statement import Dialect

MOST_STAGES = 1_000
_ETL_COLUMNS = ("rows_in", "rows_out", "rows_rejected")


def read_age(settings: TableFreshness, dialect: Dialect, transaction: Transaction) -> TableAge:
    """How old the newest row is."""
    newest = func.max(_column(settings.column))
    statement = select(newest.label("newest"), age_seconds(newest, dialect).label("age")).select_from(
        _table(settings.table)
    )
    ((moment, age),) = transaction.rows(statement).rows
    seconds = _number(FamilyKind.GAUGE, settings.table, settings.column, age)
    if moment is not None and seconds is None:
        raise FetchError(
            Reason.CONFIGURATION,
            f"{settings.table}: the column {settings.column} holds no moment that {dialect} can read",
        )
    return TableAge(settings.table, seconds)


def read_count(settings: TableRows, dialect: Dialect, transaction: Transaction) -> TableCount:
    """How many rows there are, counted or estimated."""
    if settings.counted == "exact":
        statement = select(func.count()).select_from(_table(settings.table))
        ((rows,),) = transaction.rows(statement).rows
        return TableCount(settings.table, settings.counted, float(rows))
    schema, name = _split(settings.table)
    answer = transaction.rows(text(_ESTIMATES[dialect]), schema=schema, name=name).rows
    if not answer:
        raise FetchError(Reason.CONFIGURATION, f"there is no table {settings.table}")
    estimate = answer[0][0]
    if estimate is None or estimate < 0:
        raise FetchError(
            Reason.CONFIGURATION, f"{settings.table} was never analysed: ANALYZE {settings.table}, or counted: exact"
        )
    return TableCount(settings.table, settings.counted, float(estimate))


def read_etl(settings: EtlTable, dialect: Dialect, transaction: Transaction) -> tuple[str, tuple[EtlStage, ...]]:
    """What all runs of each stage together did: sums, so that a job's restart changes nothing."""
    keys = [_column(settings.pipeline), _column(settings.stage)]
    sums = [_sum(getattr(settings, name)) for name in _ETL_COLUMNS]
    age: ColumnElement[Any] = null()
    if settings.finished_at is not None:
        age = age_seconds(func.max(_column(settings.finished_at)), dialect)
    statement = (
        select(*keys, *(each.label(name) for each, name in zip(sums, _ETL_COLUMNS, strict=True)), age.label("age"))
        .select_from(_table(settings.table))
        .group_by(*keys)
        .limit(MOST_STAGES + 1)
    )
    answer = transaction.rows(statement).rows
    if len(answer) > MOST_STAGES:
        raise FetchError(Reason.TOO_LARGE, f"{settings.table} tells of more than {MOST_STAGES:,} stages")
    return settings.table, tuple(_stage(settings, row) for row in answer)


def _stage(settings: EtlTable, row: Any) -> EtlStage:
    pipeline, stage, rows_in, rows_out, rows_rejected, age = row
    try:
        names = label_of(pipeline), label_of(stage)
    except NotThis as error:
        raise FetchError(Reason.CONFIGURATION, f"{settings.table}: a pipeline or stage is {error}") from error
    counted = partial(_number, FamilyKind.COUNTER, settings.table)
    return EtlStage(
        *names,
        rows_in=counted(settings.rows_in, rows_in),
        rows_out=counted(settings.rows_out, rows_out),
        rows_rejected=counted(settings.rows_rejected, rows_rejected),
        age_seconds=_number(FamilyKind.GAUGE, settings.table, settings.finished_at, age),
    )


def _number(kind: FamilyKind, in_table: str, in_column: str | None, cell: Any) -> float | None:
    try:
        return number_of(cell, kind)
    except NotThis as error:
        raise FetchError(Reason.CONFIGURATION, f"{in_table}: the column {in_column} holds {error}") from error


def _sum(name: str | None) -> ColumnElement[Any]:
    return null() if name is None else func.sum(_column(name))


def _split(name: str) -> tuple[str | None, str]:
    schema, dot, rest = name.partition(".")
    return (schema, rest) if dot else (None, name)


def _table(name: str) -> TableClause:
    schema, rest = _split(name)
    return table(_quoted(rest), schema=None if schema is None else _quoted(schema))


def _column(name: str) -> ColumnElement[Any]:
    return column(_quoted(name))


def _quoted(name: str) -> quoted_name:
    return quoted_name(name, quote=True)


_ESTIMATES = {
    # A partitioned table has an estimate of its own; -1: nobody has looked yet.
    Dialect.POSTGRESQL: """
        SELECT c.reltuples FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relname = :name AND c.relkind IN ('r', 'p', 'm', 'f')
          AND CASE WHEN CAST(:schema AS text) IS NULL THEN pg_catalog.pg_table_is_visible(c.oid)
                   ELSE n.nspname = CAST(:schema AS text) END
        """,
    Dialect.MYSQL: """
        SELECT table_rows FROM information_schema.tables
        WHERE table_name = :name AND table_schema = COALESCE(:schema, DATABASE())
        """,
}
