# ruff: noqa: S608 - tests write statements
"""The SQL exporter on SQLite, which needs no server."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.sql_exporter import Scrape, scraped, scraping

ORDERS = """\
      shop:
        dialect: sqlite
        file: shop.sqlite
        queries:
          - name: orders
            sql: {sql}
            labels: {labels}
            values: [{{column: n, metric: shop_orders, unit: orders, kind: {kind}, help: Orders.}}]
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A shop's database beside the configuration."""
    with closing(sqlite3.connect(tmp_path / "shop.sqlite", isolation_level=None)) as connection:
        connection.executescript(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, state TEXT, written_at TEXT);"
            "INSERT INTO orders (state, written_at) VALUES ('paid', '2026-01-01'), ('open', '2026-01-01');"
        )
        yield connection


def orders(folder: Path, sql: str, labels: str = "[]", kind: str = "gauge") -> Scrape:
    """What one query brings."""
    return scraped(ORDERS.format(sql=sql, labels=labels, kind=kind), folder)


@pytest.mark.usefixtures("shop")
def test_a_query_becomes_a_gauge_and_a_counter(tmp_path: Path) -> None:
    """Columns that are named become values and labels; a counter gets _total; other columns don't matter."""
    sql = "SELECT state, count(*) AS n, '%s :x ?' AS other FROM orders GROUP BY state -- done;"
    gauge = orders(tmp_path, sql, "[state]")
    assert gauge.failed == {}
    assert gauge.series("sereno_sql_query_shop_orders") == {("open",): 1, ("paid",): 1}
    counter = orders(tmp_path, sql, "[state]", "counter")
    assert counter.series("sereno_sql_query_shop_orders_total") == {("open",): 1, ("paid",): 1}
    assert counter.value("sereno_sql_up") == 1


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("sql", "labels", "kind", "message"),
    [
        ("SELECT count(*) AS m FROM orders", "[]", "gauge", "has no column n; it has m"),
        ("SELECT 'many' AS n", "[]", "gauge", "the column n holds text where a number is due"),
        ("SELECT x'00' AS n", "[]", "gauge", "the column n holds binary data where a number is due"),
        ("SELECT -1 AS n", "[]", "counter", "the column n holds -1, and counters begin at 0"),
        ("SELECT 1 AS n FROM orders", "[]", "gauge", "has 2 rows and no labels"),
        ("SELECT 'a' AS state, id AS n FROM orders", "[state]", "gauge", "two rows with state='a'"),
        ("SELECT x'00' AS state, 1 AS n", "[state]", "gauge", "the column state holds binary data"),
        ("SELECT 1 AS n FROM nowhere", "[]", "gauge", "no such table: nowhere"),
        ("SELECT name AS n FROM pragma_database_list", "[]", "gauge", "not authorized"),
    ],
)
def test_an_answer_that_cannot_be_used_is_told_by_query_and_column(
    tmp_path: Path, sql: str, labels: str, kind: str, message: str
) -> None:
    """The part fails with a sentence that names the query, and the column where one is at fault; it serves nothing."""
    found = orders(tmp_path, sql, labels, kind)
    reason, text = found.failure("query_orders")
    assert reason == "configuration"
    assert text.startswith("the query orders")
    assert message in text
    assert not [name for name in found.metrics if name.startswith("sereno_sql_query_")]
    assert found.value("sereno_sql_up") == 0


@pytest.mark.usefixtures("shop")
def test_null_is_no_sample_and_no_row_is_no_trouble(tmp_path: Path) -> None:
    """NULL and an empty answer have no series, and the part is well."""
    for sql in ("SELECT NULL AS n", "SELECT id AS n FROM orders WHERE id < 0"):
        found = orders(tmp_path, sql)
        assert found.failed == {}
        assert found.series("sereno_sql_query_shop_orders") == {}


def test_more_rows_than_the_limit_are_an_error(shop: sqlite3.Connection, tmp_path: Path) -> None:
    """As many rows as the limit are served; one more fails the part, and nothing is cut off."""
    targets = (
        ORDERS.format(sql="SELECT id, id AS n FROM orders", labels="[id]", kind="gauge") + "            row_limit: 2\n"
    )
    assert len(scraped(targets, tmp_path).series("sereno_sql_query_shop_orders")) == 2
    shop.execute("INSERT INTO orders (state) VALUES ('open')")
    reason, message = scraped(targets, tmp_path).failure("query_orders")
    assert (reason, "more than 2 rows" in message) == ("too_large", True)


def test_a_database_that_is_locked_costs_the_timeout(shop: sqlite3.Connection, tmp_path: Path) -> None:
    """Whoever holds the file exclusively makes the part time out; afterwards it answers again."""
    targets = (
        ORDERS.format(sql="SELECT 1 AS n FROM orders LIMIT 1", labels="[]", kind="gauge")
        + "            timeout: 200ms\n"
    )
    with scraping(targets, tmp_path) as scrapers:
        shop.execute("BEGIN EXCLUSIVE")
        assert Scrape(scrapers.scrape()).failure("query_orders")[0] == "timeout"
        shop.execute("ROLLBACK")
        assert Scrape(scrapers.scrape()).failed == {}


@pytest.mark.usefixtures("shop")
def test_a_query_that_never_ends_is_broken_off(tmp_path: Path) -> None:
    """An endless recursion costs its timeout, not a thread."""
    endless = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) AS n FROM r"
    targets = ORDERS.format(sql=endless, labels="[]", kind="gauge") + "            timeout: 200ms\n"
    begun = time.monotonic()
    reason, message = scraped(targets, tmp_path).failure("query_orders")
    assert reason == "timeout"
    assert "look for locks, or raise its timeout" in message
    assert time.monotonic() - begun < 5


def test_a_file_that_is_not_there_or_no_database(tmp_path: Path) -> None:
    """A file that is missing is not made, and one that is something else is garbage."""
    reason, message = orders(tmp_path, "SELECT 1 AS n").failure("query_orders")
    assert (reason, "there is no file" in message) == ("unreachable", True)
    assert not (tmp_path / "shop.sqlite").exists()
    (tmp_path / "shop.sqlite").write_bytes(b"not a database at all, but long enough to look at" * 40)
    reason, message = orders(tmp_path, "SELECT n FROM nowhere").failure("query_orders")
    assert (reason, "file is not a database" in message) == ("garbage", True)
    rows = "      shop: {dialect: sqlite, file: shop.sqlite, rows: [{table: orders}]}\n"
    assert scraped(rows, tmp_path).failure("rows_orders") == ("garbage", "the table orders: file is not a database")


READY_MADE = """\
      shop:
        dialect: sqlite
        file: shop.sqlite
        freshness: [{table: orders, column: written_at}]
        rows: [{table: orders}]
        etl: [{table: runs, pipeline: pipeline, stage: stage, rows_in: read, rows_out: written, finished_at: ended}]
"""


def test_ready_made_parts(shop: sqlite3.Connection, tmp_path: Path) -> None:
    """Freshness is by the database's clock, from texts and from seconds; rows are counted, ETL runs are summed."""
    shop.executescript(
        "CREATE TABLE runs (pipeline TEXT, stage TEXT, read INTEGER, written INTEGER, ended INTEGER);"
        "INSERT INTO runs VALUES ('orders', 'load', 10, 9, unixepoch() - 50),"
        "                        ('orders', 'load', 5, 5, unixepoch() - 20),"
        "                        ('orders', 'clean', 9, NULL, NULL);"
        "UPDATE orders SET written_at = datetime('now', '-90 seconds');"
    )
    found = scraped(READY_MADE, tmp_path)
    assert found.failed == {}
    assert 89 <= found.value("sereno_sql_table_age_seconds") < 100
    assert found.series("sereno_sql_table_rows") == {("exact", "orders"): 2}
    assert found.series("sereno_sql_etl_rows_in_total") == {
        ("orders", "load", "runs"): 15,
        ("orders", "clean", "runs"): 9,
    }
    assert found.series("sereno_sql_etl_rows_out_total") == {("orders", "load", "runs"): 14}
    assert found.series("sereno_sql_etl_rows_rejected_total") == {}
    ((names, age),) = found.series("sereno_sql_etl_stage_age_seconds").items()
    assert names == ("orders", "load", "runs")
    assert 19 <= age < 30


def test_freshness_of_an_empty_table_and_of_no_moments(shop: sqlite3.Connection, tmp_path: Path) -> None:
    """An empty table has no age; one whose column holds anything else is told, never an age that isn't one."""
    shop.execute("CREATE TABLE runs (pipeline, stage, read, written, ended)")
    shop.execute("DELETE FROM orders")
    empty = scraped(READY_MADE, tmp_path)
    assert empty.failed == {}
    assert empty.series("sereno_sql_table_age_seconds") == {}
    for nothing in ("'yesterday'", "1767323045000"):  # the second one is milliseconds
        shop.execute("DROP TABLE orders")
        shop.execute("CREATE TABLE orders (written_at)")
        shop.execute(f"INSERT INTO orders (written_at) VALUES ({nothing})")
        message = scraped(READY_MADE, tmp_path).failed["freshness_orders"]
        assert message == "orders: the column written_at holds no moment that sqlite can read"
