"""What stands in a cell of an answer, as a metric's value or a label's. Pure."""

import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sereno_exporters.frame.model import FamilyKind


class NotThis(Exception):  # noqa: N818 - it completes a sentence: "the column n of the query q holds …"
    """A cell can't be used; the message says what stands there, without the value itself, which may be private."""


def number_of(cell: Any, kind: FamilyKind) -> float | None:
    """The cell as a metric's value; NULL is None: no sample.

    Points of time become seconds since the epoch (without a zone they are read as UTC), spans of time seconds.

    Raises:
        NotThis: it is no number, or none that a counter can have.
    """
    if cell is None:
        return None
    number = _number(cell)
    if kind is FamilyKind.COUNTER and not number >= 0:
        raise NotThis(f"{number:g}, and counters begin at 0 and go up")
    return number


def _number(cell: Any) -> float:
    match cell:
        case bool() | int() | float() | Decimal():
            try:
                return float(cell)
            except OverflowError as error:
                raise NotThis("a number that is too large") from error
        case datetime():
            return (cell if cell.tzinfo else cell.replace(tzinfo=UTC)).timestamp()
        case date():
            return datetime.combine(cell, time(), tzinfo=UTC).timestamp()
        case timedelta():
            return cell.total_seconds()
        case str():
            raise NotThis("text where a number is due: convert it in the query, CAST(… AS …)")
        case _:
            raise NotThis(f"{_what(cell)} where a number is due: convert it in the query")


def label_of(cell: Any) -> str:
    """The cell as a label's value; NULL is the empty text, which to Prometheus is no label.

    Raises:
        NotThis: it is nothing that one would group by.
    """
    match cell:
        case None:
            return ""
        case str() | UUID():
            return str(cell)
        case bool():
            return "true" if cell else "false"
        case float():
            return str(int(cell)) if math.isfinite(cell) and cell.is_integer() else str(cell)
        case int() | Decimal():
            return f"{cell:f}" if isinstance(cell, Decimal) else str(cell)
        case datetime() | date() | time():
            return cell.isoformat()
        case _:
            raise NotThis(f"{_what(cell)} where a label is due: convert it in the query")


def _what(cell: Any) -> str:
    match cell:
        case bytes() | bytearray() | memoryview():
            return "binary data"
        case list() | tuple():
            return "an array"
        case dict():
            return "a document"
        case _:
            return f"a {type(cell).__name__}"
