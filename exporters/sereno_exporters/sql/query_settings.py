"""A query of the user's: which column becomes which metric, and which columns are its labels."""

from collections import Counter
from typing import Literal, Self

from pydantic import Field, model_validator

from sereno_exporters.frame.configuration import Timeout
from sereno_exporters.frame.model import Family, FamilyKind
from sereno_exporters.frame.words import Grammar, mistake
from sereno_exporters.sql.query_words import QUERY_PREFIX, ColumnName, LabelName, MetricName, PartWord, Unit

ROW_LIMIT = 1_000
TIMEOUT_SECONDS = 5.0
"""Less than a target has: the database itself says why."""


class ValueSettings(Grammar):
    """One column that is a metric."""

    column: ColumnName = Field(description="Column of the query", examples=["orders"])
    metric: MetricName = Field(
        description=f"Name of the metric, which {QUERY_PREFIX} is put before", examples=["shop_open_orders"]
    )
    unit: Unit = Field(description="What the value counts: the last word of the name", examples=["orders"])
    kind: Literal["gauge", "counter"] = Field(
        "gauge", description="counter: it only goes up, and _total is put behind", examples=["counter"]
    )
    help: str = Field(
        min_length=1, description="One sentence for who meets the metric", examples=["Orders not yet paid."]
    )

    @model_validator(mode="after")
    def _has_its_unit(self) -> Self:
        if self.metric.endswith("_total"):
            shorter = self.metric.removesuffix("_total")
            raise mistake(
                "SLO011", f"{self.metric}: counters get _total by themselves", f"write {shorter}, kind: counter"
            )
        if not f"_{self.metric}".endswith(f"_{self.unit}"):
            raise mistake("SLO011", f"{self.metric} does not end with its unit", f"write {self.metric}_{self.unit}")
        return self

    def family(self, labels: tuple[str, ...]) -> Family:
        """What is served of it."""
        kind = FamilyKind(self.kind)
        suffix = "_total" if kind is FamilyKind.COUNTER else ""
        return Family(f"{QUERY_PREFIX}{self.metric}{suffix}", kind, self.help, labels)


class QuerySettings(Grammar):
    """A query and what becomes of its columns."""

    name: PartWord = Field(description="Its part is query_<name>", examples=["open_orders"])
    sql: str = Field(
        description="One SELECT, or WITH … SELECT",
        examples=["SELECT state, count(*) AS orders FROM orders GROUP BY state"],
    )
    values: tuple[ValueSettings, ...] = Field(
        min_length=1,
        strict=False,
        description="Columns that are metrics",
        examples=["[{column: orders, metric: shop_open_orders, unit: orders, help: Orders not yet paid.}]"],
    )
    labels: tuple[LabelName, ...] = Field((), strict=False, description="Columns that are labels", examples=["[state]"])
    timeout: Timeout = Field(TIMEOUT_SECONDS, description="How long it may run", examples=["5s"])
    row_limit: int = Field(
        ROW_LIMIT, ge=1, le=100_000, description="More rows are an error, never cut off", examples=[ROW_LIMIT]
    )

    @model_validator(mode="after")
    def _each_column_once(self) -> Self:
        columns = Counter([*(value.column for value in self.values), *self.labels])
        if twice := [column for column, times in columns.items() if times > 1]:
            raise mistake("SLO006", f"the column {twice[0]} is mapped twice", "map each column to one metric or label")
        return self

    def families(self) -> tuple[Family, ...]:
        """One for each value, in order."""
        return tuple(value.family(self.labels) for value in self.values)
