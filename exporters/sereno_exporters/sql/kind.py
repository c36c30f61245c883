"""The SQL exporter as the frame knows it."""

from sereno_exporters.frame.model import ExporterKind, Source, Target
from sereno_exporters.sql import families
from sereno_exporters.sql.settings import SqlSettings


def _connect(target: Target[SqlSettings]) -> Source:
    from sereno_exporters.sql.source import source_of  # noqa: PLC0415 - SQLAlchemy comes with it

    return source_of(target)


KIND = ExporterKind(
    name="sql",
    summary="Figures out of databases: queries, freshness and rows of tables, ETL stages, PostgreSQL's own statistics",
    settings=SqlSettings,
    connect=_connect,
    families=families.ALL,
)
"""Metrics of users' queries are not among the families: they begin with `sereno_sql_query_`, as nothing else does."""
