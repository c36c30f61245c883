"""What a target of the SQL exporter says: how its database is reached, and which parts are asked."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from sereno_exporters.frame.configuration import Timeout
from sereno_exporters.frame.words import FilePath, Grammar, Host, mistake
from sereno_exporters.sql.query_settings import TIMEOUT_SECONDS, QuerySettings
from sereno_exporters.sql.query_words import ColumnName, TableName
from sereno_exporters.sql.statement import Dialect, Unsafe, reads_only

CONNECTIONS = 2
_Trouble = tuple[tuple[str | int, ...], PydanticCustomError]


def _dialect(text: object) -> object:
    names = {str(dialect): dialect for dialect in Dialect}
    if isinstance(text, str) and text not in names:
        better = {"postgres": "postgresql", "mariadb": "mysql", "sqlite3": "sqlite"}.get(text, ", ".join(names))
        raise mistake("SLO006", f"{text!r} is no database that is known", f"write {better}")
    return names[text] if isinstance(text, str) else text


class TableFreshness(Grammar):
    """How old the newest row of a table is."""

    table: TableName = Field(examples=["public.orders"])
    column: ColumnName = Field(description="When the row was written: a timestamp", examples=["updated_at"])


class TableRows(Grammar):
    """How many rows a table has."""

    table: TableName = Field(examples=["public.orders"])
    counted: Literal["exact", "estimated"] = Field(
        "exact", description="estimated: the database's own statistics, which cost nothing", examples=["estimated"]
    )


class EtlTable(Grammar):
    """Where jobs write how many rows each stage of a pipeline took, gave on and rejected."""

    table: TableName = Field(examples=["etl.runs"])
    pipeline: ColumnName = Field(examples=["pipeline"])
    stage: ColumnName = Field(examples=["stage"])
    rows_in: ColumnName | None = Field(None, examples=["rows_read"])
    rows_out: ColumnName | None = Field(None, examples=["rows_written"])
    rows_rejected: ColumnName | None = Field(None, examples=["rows_rejected"])
    finished_at: ColumnName | None = Field(None, description="When the run ended", examples=["finished_at"])

    @model_validator(mode="after")
    def _counts_something(self) -> Self:
        if self.rows_in is self.rows_out is self.rows_rejected is self.finished_at is None:
            raise mistake(
                "SLO006", "the ETL table has no column that is counted", "write rows_in, rows_out or rows_rejected"
            )
        return self


class Statements(Grammar):
    """The slowest statements, from pg_stat_statements."""

    most: int = Field(20, ge=1, le=500, description="How many, by all the time they took", examples=[20])
    text: bool = Field(True, description="Whether the normalised text is a label, beside its queryid", examples=[True])  # noqa: FBT003


class Indices(Grammar):
    """Indices that nobody uses, and large tables that are read from end to end."""

    most: int = Field(50, ge=1, le=1_000, description="How many of each, the largest first", examples=[50])
    large_table_rows: int = Field(
        10_000, ge=0, description="Smaller tables are read without an index for good reason", examples=[10_000]
    )


class Sizes(Grammar):
    """The database's size and that of its largest tables."""

    most_tables: int = Field(50, ge=0, le=1_000, examples=[50])


class PostgresqlParts(Grammar):
    """What PostgreSQL tells of itself; each is left out unless it is written (`{}` will do)."""

    statements: Statements | None = Field(None, examples=["{most: 20}"])
    indices: Indices | None = Field(None, examples=["{most: 50}"])
    sizes: Sizes | None = Field(None, examples=["{most_tables: 50}"])
    connections: bool = Field(False, description="By state, and the oldest transaction", examples=[True])  # noqa: FBT003


class SqlSettings(Grammar):
    """One database."""

    dialect: Annotated[Dialect, BeforeValidator(_dialect)] = Field(examples=["postgresql"])
    host: Host | None = Field(None, examples=["127.0.0.1"])
    port: int | None = Field(None, ge=1, le=65_535, examples=[5432])
    database: str | None = Field(None, min_length=1, examples=["warehouse"])
    file: FilePath | None = Field(None, description="SQLite's file", examples=["warehouse.sqlite"])
    username_file: FilePath | None = Field(None, description="File with the user's name", examples=["warehouse.user"])
    password_file: FilePath | None = Field(None, description="File with the password", examples=["warehouse.password"])
    tls: Literal["off", "encrypted", "verified"] | None = Field(
        None, description="verified: the server's certificate is checked, name and all", examples=["verified"]
    )
    ca_file: FilePath | None = Field(None, description="Certificate of a private authority", examples=["ca.pem"])
    connections: int = Field(CONNECTIONS, ge=1, le=16, description="How many it opens at once", examples=[CONNECTIONS])
    timeout: Timeout = Field(TIMEOUT_SECONDS, description="How long each ready-made part may take", examples=["5s"])
    freshness: tuple[TableFreshness, ...] = Field((), strict=False)
    rows: tuple[TableRows, ...] = Field((), strict=False)
    etl: tuple[EtlTable, ...] = Field((), strict=False)
    postgresql: PostgresqlParts | None = Field(None, description="What PostgreSQL tells of itself")
    queries: tuple[QuerySettings, ...] = Field((), strict=False)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        troubles = [*self._about_place(), *self._about_parts(), *self._about_queries(), *self._about_metrics()]
        if troubles:
            # Each at its own place in the file: pydantic takes such an error's places over.
            details = [InitErrorDetails(type=what, loc=place, input=None) for place, what in troubles]
            raise ValidationError.from_exception_data("sql", details)
        return self

    def _about_place(self) -> Iterator[_Trouble]:
        if self.dialect is Dialect.SQLITE:
            if self.file is None:
                yield ("dialect",), mistake("SLO006", "an SQLite target has no file", "write file: warehouse.sqlite")
            for key in ("host", "port", "database", "username_file", "password_file", "tls", "ca_file"):
                if getattr(self, key) is not None:
                    yield (key,), mistake("SLO006", f"SQLite has no {key}", "leave it out")
            return
        for key, example in (("host", "127.0.0.1"), ("database", "warehouse"), ("username_file", "warehouse.user")):
            if getattr(self, key) is None:
                yield (
                    ("dialect",),
                    mistake("SLO006", f"a {self.dialect} target has no {key}", f"write {key}: {example}"),
                )
        if self.file is not None:
            yield ("file",), mistake("SLO006", f"{self.dialect} has no file", "write host and database")
        if self.ca_file is not None and self.tls != "verified":
            yield ("ca_file",), mistake("SLO006", "ca_file is for tls: verified", "write tls: verified")

    def _about_parts(self) -> Iterator[_Trouble]:
        if self.postgresql is not None and self.dialect is not Dialect.POSTGRESQL:
            yield ("postgresql",), mistake("SLO006", f"{self.dialect} has no such parts", "leave postgresql out")
        for index, each in enumerate(self.rows):
            if self.dialect is Dialect.SQLITE and each.counted == "estimated":
                yield ("rows", index, "counted"), mistake("SLO006", "SQLite has no estimate", "write counted: exact")
        tables = [
            *(("freshness", index, each.table) for index, each in enumerate(self.freshness)),
            *(("rows", index, each.table) for index, each in enumerate(self.rows)),
            *(("etl", index, each.table) for index, each in enumerate(self.etl)),
        ]
        names: dict[str, str] = {}
        for key, index, table in tables:
            other = names.setdefault(part_name(key, table), f"{key}[{index}]")
            if other != f"{key}[{index}]":
                yield (
                    (key, index, "table"),
                    mistake("SLO015", f"{table} is named in {other} already, or looks the same", "remove one"),
                )
        wanted = self.postgresql
        has_own = wanted and (wanted.statements or wanted.indices or wanted.sizes or wanted.connections)
        if not (names or self.queries or has_own):
            yield (
                ("dialect",),
                mistake("SLO006", "the target has nothing to ask", "write queries, freshness, rows or etl"),
            )

    def _about_queries(self) -> Iterator[_Trouble]:
        names: set[str] = set()
        for index, query in enumerate(self.queries):
            if query.name in names:
                yield (
                    ("queries", index, "name"),
                    mistake("SLO015", f"two queries are called {query.name}", "give each a name of its own"),
                )
            names.add(query.name)
            if isinstance(found := reads_only(query.sql, self.dialect), Unsafe):
                yield ("queries", index, "sql"), mistake("SLO006", found.message, found.hint)

    def _about_metrics(self) -> Iterator[_Trouble]:
        """One metric from one query: the same name again would be the same series, or one with other labels."""
        owners: dict[str, str] = {}
        for index, query in enumerate(self.queries):
            for place, value in enumerate(query.values):
                if value.metric in owners:
                    yield (
                        ("queries", index, "values", place, "metric"),
                        mistake("SLO015", f"{value.metric} is in {owners[value.metric]} already", "write another name"),
                    )
                owners.setdefault(value.metric, query.name)


def part_name(group: str, table: str) -> str:
    """`freshness_public_orders`: a table's own part, so that one that is locked fails alone."""
    letters = (letter if letter.isascii() and letter.isalnum() else "_" for letter in table.lower())
    return f"{group}_{''.join(letters)}"
