"""What was read of a database: frozen, in base units, before it becomes metrics."""

from dataclasses import dataclass

from sereno_exporters.frame.model import Family

Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QueryRow:
    """One row of a user's query: its labels, and for each value a number or NULL."""

    labels: Labels
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """The rows of a query; the families are in the order of each row's values."""

    families: tuple[Family, ...]
    rows: tuple[QueryRow, ...]


@dataclass(frozen=True, slots=True)
class TableAge:
    """How old a table's newest row is, by the database's clock; None where there is no row."""

    table: str
    age_seconds: float | None


@dataclass(frozen=True, slots=True)
class TableCount:
    """How many rows a table has."""

    table: str
    counted: str
    rows: float


@dataclass(frozen=True, slots=True)
class EtlStage:
    """What all runs of a stage together did; None where the column isn't mapped, or holds nothing yet."""

    pipeline: str
    stage: str
    rows_in: float | None
    rows_out: float | None
    rows_rejected: float | None
    age_seconds: float | None


@dataclass(frozen=True, slots=True)
class Statement:
    """One normalised statement, all its users together."""

    queryid: str
    text: str
    calls: float
    total_seconds: float
    mean_seconds: float


@dataclass(frozen=True, slots=True)
class UnusedIndex:
    """An index that no scan has used since the statistics began, and that keeps nothing unique."""

    table: str
    index: str
    size_bytes: float


@dataclass(frozen=True, slots=True)
class ScannedTable:
    """How a large table is read."""

    table: str
    sequential_scans: float
    sequential_rows: float
    index_scans: float


@dataclass(frozen=True, slots=True)
class IndexUse:
    """What the database's statistics say of its indices."""

    statistics_age_seconds: float
    unused: tuple[UnusedIndex, ...]
    scanned: tuple[ScannedTable, ...]


@dataclass(frozen=True, slots=True)
class TableSize:
    """A table with its indices and what is stored out of line."""

    table: str
    size_bytes: float
    index_bytes: float


@dataclass(frozen=True, slots=True)
class DatabaseSizes:
    """The database and its largest tables."""

    database: str
    size_bytes: float
    tables: tuple[TableSize, ...]


@dataclass(frozen=True, slots=True)
class Connections:
    """Who is connected to the server's databases."""

    by_state: tuple[tuple[str, str, float], ...]
    """Database, state, how many."""
    limit: float
    oldest_transaction_seconds: float
    """0 where none is open."""
