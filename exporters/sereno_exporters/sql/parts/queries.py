"""A user's query: its rows as numbers and labels, or a clear sentence why not."""

from collections.abc import Sequence
from typing import Any

from sereno_exporters.frame.model import Family
from sereno_exporters.frame.trouble import FetchError, Reason
from sereno_exporters.sql.cells import NotThis, label_of, number_of
from sereno_exporters.sql.database import Rows, Transaction
from sereno_exporters.sql.query_settings import QuerySettings
from sereno_exporters.sql.snapshot import QueryAnswer, QueryRow
from sereno_exporters.sql.statement import Dialect, Unsafe, reads_only


def statement_of(query: QuerySettings, dialect: Dialect) -> str:
    """What the database gets: the user's text as a subquery, one row more than may come.

    In parentheses there is room for one query only, and PostgreSQL and MySQL let nothing write there.
    """
    text = reads_only(query.sql, dialect)
    if isinstance(text, Unsafe):
        raise AssertionError(text.message)  # noqa: TRY004 - whoever read the configuration refused it
    return f"SELECT * FROM (\n{text}\n) AS sereno_rows LIMIT {query.row_limit + 1}"  # noqa: S608 - that is its purpose


def answered(query: QuerySettings, statement: str, transaction: Transaction) -> QueryAnswer:
    """Ask, and read the answer.

    Raises:
        FetchError: a column is missing, a cell is no number, there are too many rows, or two with the same labels.
    """
    answer = transaction.rows_of_text(statement)
    if len(answer.rows) > query.row_limit:
        raise FetchError(
            Reason.TOO_LARGE, f"{_the(query)} has more than {query.row_limit:,} rows: group it, or raise its row_limit"
        )
    labels = [_index(query, answer, column) for column in query.labels]
    values = [_index(query, answer, value.column) for value in query.values]
    families = query.families()
    rows = tuple(
        QueryRow(
            tuple(_label(query, answer, row, index) for index in labels),
            tuple(_number(query, answer, row, index, family) for index, family in zip(values, families, strict=True)),
        )
        for row in answer.rows
    )
    _check_different(query, rows)
    return QueryAnswer(families, rows)


def _index(query: QuerySettings, answer: Rows, column: str) -> int:
    match answer.columns.count(column):
        case 1:
            return answer.columns.index(column)
        case 0:
            there = ", ".join(answer.columns)
            raise FetchError(Reason.CONFIGURATION, f"{_the(query)} has no column {column}; it has {there}")
        case _:
            raise FetchError(Reason.CONFIGURATION, f"{_the(query)} has several columns {column}: name them with AS")


def _label(query: QuerySettings, answer: Rows, row: Sequence[Any], index: int) -> str:
    try:
        return label_of(row[index])
    except NotThis as error:
        raise _unusable(query, answer, index, error) from error


def _number(query: QuerySettings, answer: Rows, row: Sequence[Any], index: int, family: Family) -> float | None:
    try:
        return number_of(row[index], family.kind)
    except NotThis as error:
        raise _unusable(query, answer, index, error) from error


def _unusable(query: QuerySettings, answer: Rows, index: int, error: NotThis) -> FetchError:
    return FetchError(Reason.CONFIGURATION, f"{_the(query)}: the column {answer.columns[index]} holds {error}")


def _check_different(query: QuerySettings, rows: Sequence[QueryRow]) -> None:
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        if row.labels in seen:
            if not query.labels:
                raise FetchError(
                    Reason.CONFIGURATION,
                    f"{_the(query)} has {len(rows)} rows and no labels: write which columns differ",
                )
            which = ", ".join(f"{name}={value!r}" for name, value in zip(query.labels, row.labels, strict=True))
            raise FetchError(Reason.CONFIGURATION, f"{_the(query)} has two rows with {which}: group by the labels")
        seen.add(row.labels)


def _the(query: QuerySettings) -> str:
    return f"the query {query.name}"
