"""Words of a query's settings: names of metrics and labels as Prometheus' conventions want them, and tables."""

import re
from typing import Annotated

from pydantic import AfterValidator

from sereno_exporters.frame.model import FORBIDDEN_LABELS
from sereno_exporters.frame.words import mistake

QUERY_PREFIX = "sereno_sql_query_"
"""Of every metric that a user names: none of Sereno's own begins so, so the two never collide."""

_METRIC = r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*"
_LONGEST_METRIC = 120
_LONGEST_PART = 60
_BASE_UNITS = {
    **dict.fromkeys(("ms", "milliseconds", "us", "microseconds", "sec", "minutes", "hours", "days"), "seconds"),
    **dict.fromkeys(("kb", "mb", "gb", "tb", "kib", "mib", "gib", "kilobytes", "megabytes", "gigabytes"), "bytes"),
    **dict.fromkeys(("percent", "percentage", "pct", "permille"), "ratio"),
    "fahrenheit": "celsius",
}
_RESERVED = ("total", "count", "sum", "bucket", "info", "created")
"""Ends that a metric's kind gives or other kinds have."""


def _unit(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9]*", text):
        raise mistake(
            "SLO006", f"{text!r} is no unit: one lower-case word", "write for example seconds, bytes or orders"
        )
    if base := _BASE_UNITS.get(text):
        raise mistake("SLO006", f"{text} is no base unit", f"write {base}, and convert the column in the query")
    if text in _RESERVED:
        raise mistake("SLO006", f"{text} is no unit", "write what is counted, for example orders, or seconds or bytes")
    return text


def _metric(text: str) -> str:
    if not re.fullmatch(_METRIC, text) or len(text) > _LONGEST_METRIC:
        better = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:_LONGEST_METRIC] or "open_orders"
        raise mistake(
            "SLO011", f"{text!r} is no name of a metric: lower-case words with underscores", f"write {better}"
        )
    if text.startswith(QUERY_PREFIX):
        shorter = text.removeprefix(QUERY_PREFIX)
        raise mistake("SLO011", f"every metric of a query begins with {QUERY_PREFIX} anyway", f"write {shorter}")
    return text


def _label(text: str) -> str:
    if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", text) or text.startswith("__"):
        raise mistake("SLO011", f"{text!r} is no name of a label", "name the column so in the query: … AS state")
    if text in FORBIDDEN_LABELS:
        raise mistake(
            "SLO011", f"a label may not be called {text}, which means something else", f"write … AS {text}_name in SQL"
        )
    return text


def _part_word(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", text) or len(text) > _LONGEST_PART:
        better = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:_LONGEST_PART] or "open_orders"
        raise mistake("SLO011", f"{text!r} is no name of a query: lower-case, digits, underscores", f"write {better}")
    return text


def _table(text: str) -> str:
    parts = text.split(".")
    if len(parts) > 2 or not all(part and part.isprintable() and '"' not in part for part in parts):  # noqa: PLR2004
        raise mistake("SLO006", f"{text!r} is no table", "write it as the database stores it: orders, or public.orders")
    return text


def _column(text: str) -> str:
    if not text or not text.isprintable():
        raise mistake("SLO006", f"{text!r} is no column", "write its name as the database stores it")
    return text


Unit = Annotated[str, AfterValidator(_unit)]
MetricName = Annotated[str, AfterValidator(_metric)]
"""Without the prefix, and for counters without `_total`."""
LabelName = Annotated[str, AfterValidator(_label)]
"""A column of the query, too."""
PartWord = Annotated[str, AfterValidator(_part_word)]
TableName = Annotated[str, AfterValidator(_table)]
"""As the database stores it, perhaps with its schema; case counts."""
ColumnName = Annotated[str, AfterValidator(_column)]
