# ruff: noqa: S608 - tests write statements
"""Users' queries on a real PostgreSQL."""

import time
from pathlib import Path

import psycopg
import pytest
from support.postgresql import PostgresqlServer, marked
from support.sql_exporter import Scrape, scraped, scraping
from support.sql_shop import DATABASE, answer, query, target
from support.waiting import wait_for

pytestmark = marked


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("12.50::numeric", 12.5),
        ("true", 1),
        ("2 ^ 60", 2.0**60),
        ("timestamptz '2026-01-02 03:04:05.5+01'", 1767319445.5),
        ("timestamp '2026-01-02 02:04:05.5'", 1767319445.5),
        ("date '2026-01-02'", 1767312000),
        ("interval '1 day 2 hours'", 93600),
        ("'NaN'::numeric <> 'NaN'::numeric", 0),
        ("1::int / 2", 0),
        ("length('%s :x ? \\\\')", 9),
    ],
)
def test_types_become_numbers_in_base_units(
    shop_server: PostgresqlServer, folder: Path, cell: str, number: float
) -> None:
    """Decimals, truth, moments (seconds since the epoch, without a zone UTC) and spans of time (seconds)."""
    found = answer(shop_server, folder, f"SELECT {cell} AS n")
    assert found.failed == {}
    assert found.value("sereno_sql_query_q_things") == number


def test_labels_of_all_types(shop_server: PostgresqlServer, folder: Path) -> None:
    """Labels are texts as one would write the value; NULL is the empty one."""
    sql = "SELECT 1.50::numeric AS a, 7 AS b, true AS c, NULL AS d, date '2026-01-02' AS e, 3::float8 AS f, 1 AS n"
    found = answer(shop_server, folder, sql, labels="[a, b, c, d, e, f]")
    assert found.failed == {}
    assert list(found.series("sereno_sql_query_q_things")) == [("1.50", "7", "true", "", "2026-01-02", "3")]


@pytest.mark.parametrize(
    ("sql", "reason", "message"),
    [
        ("SELECT 1 AS m", "configuration", "the query q has no column n; it has m"),
        ("SELECT 1 AS n, 2 AS n", "configuration", "the query q has several columns n: name them with AS"),
        ("SELECT 'a'::text AS n", "configuration", "the column n holds text where a number is due"),
        ("SELECT ARRAY[1] AS n", "configuration", "the column n holds an array where a number is due"),
        ("SELECT 1 AS n FROM nowhere", "configuration", 'the query q: relation "nowhere" does not exist'),
        ("SELECT 1 / 0 AS n", "configuration", "the query q: division by zero"),
        ("SELECT count(*) AS n FROM pg_authid", "refused", "permission denied for table pg_authid"),
        ("SELECT writes() AS n", "configuration", "the query q: cannot execute INSERT in a read-only transaction"),
        ("SELECT timestamptz 'infinity' AS n", "garbage", "timestamp too large"),
    ],
)
def test_what_only_the_database_knows_is_told_with_the_query(
    shop_server: PostgresqlServer, folder: Path, sql: str, reason: str, message: str
) -> None:
    """A missing column or table, a refusal, a function that writes though a SELECT calls it: reason and sentence."""
    found = answer(shop_server, folder, sql)
    assert found.failure("query_q")[0] == reason
    assert message in found.failure("query_q")[1]


def test_nothing_was_written(shop_server: PostgresqlServer, folder: Path) -> None:
    """A function that writes leaves nothing behind, though its caller may write and the parser can't know it."""
    answer(shop_server, folder, "SELECT writes() AS n")
    with psycopg.connect(shop_server.url(DATABASE)) as connection:
        assert connection.execute("SELECT count(*) FROM written").fetchone() == (0,)


def test_no_connection_and_no_transaction_stays(shop_server: PostgresqlServer, folder: Path) -> None:
    """After a scrape with a failure and a success the server has no connection of the exporter's."""
    found = scraped(
        target(
            shop_server, "        queries:\n" + query("SELECT 1 AS n", name="a") + query("SELECT 1 / 0 AS n", name="b")
        ),
        folder,
    )
    assert list(found.failed) == ["query_b"]
    with psycopg.connect(shop_server.url(DATABASE), autocommit=True) as connection:
        left = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'reader'"
        wait_for(lambda: connection.execute(left).fetchone() == (0,), what="the exporter's connections are gone")


def test_a_lock_costs_its_own_part_only(shop_server: PostgresqlServer, folder: Path) -> None:
    """While a table is locked its parts time out, by the database's word, and all others answer; afterwards it does."""
    parts = "        freshness: [{table: locked, column: written_at}, {table: orders, column: written_at}]\n"
    queries = (
        "        queries:\n"
        + query("SELECT count(*) AS n FROM orders")
        + query("SELECT count(*) AS n FROM locked", name="held", more="            timeout: 800ms\n")
    )
    rest = f"{parts}        connections: 4\n        timeout: 800ms\n{queries}"
    with (
        psycopg.connect(shop_server.url(DATABASE)) as connection,
        scraping(target(shop_server, rest), folder) as scrapers,
    ):
        connection.execute("LOCK TABLE locked IN ACCESS EXCLUSIVE MODE")
        found = Scrape(scrapers.scrape())
        assert set(found.failed) == {"freshness_locked", "query_held"}
        assert found.failure("query_held")[0] == "timeout"
        assert "canceling statement due to statement timeout" in found.failed["query_held"]
        assert found.value("sereno_sql_query_q_things") == 2000
        assert found.value("sereno_sql_up") == 1
        connection.rollback()
        assert Scrape(scrapers.scrape()).failed == {}


def test_parts_wait_for_a_free_connection_and_say_so(shop_server: PostgresqlServer, folder: Path) -> None:
    """No more connections are open at once than the target grants; whose turn doesn't come is told why."""
    slow = query("SELECT count(*) AS n FROM pg_sleep(0.7)", name="slow")
    quick = query("SELECT count(*) AS n FROM pg_sleep(0.7)", name="other", more="            timeout: 400ms\n")
    found = scraped(target(shop_server, f"        queries:\n{slow}{quick}", connections="1"), folder)
    ((part, message),) = found.failed.items()
    assert part == "query_other"
    assert "other parts keep all 1 connections busy" in message or "statement timeout" in message


def test_more_rows_than_the_limit_stay_in_the_database(shop_server: PostgresqlServer, folder: Path) -> None:
    """The database itself sends one row more than the limit, of however many; that one is the error."""
    begun = time.monotonic()
    sql = "SELECT a.id AS n, b.id AS label FROM orders a, orders b, orders c, orders d"
    found = answer(
        shop_server, folder, sql, labels="[label]", more="            row_limit: 10\n            timeout: 20s\n"
    )
    assert found.failure("query_q")[0] == "too_large"
    assert time.monotonic() - begun < 20
