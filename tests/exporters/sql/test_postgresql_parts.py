# ruff: noqa: S608 - tests write statements
"""The ready-made parts on a real PostgreSQL."""

from pathlib import Path

import psycopg
from support.postgresql import PostgresqlServer, marked
from support.sql_exporter import Scrape, scraped
from support.sql_shop import DATABASE, READY_MADE, WITH_OWN, target
from support.waiting import wait_for

pytestmark = marked


def test_tables_and_etl_stages(shop_server: PostgresqlServer, folder: Path) -> None:
    """Ages by the database's clock (a moment without a zone is UTC), rows counted or estimated, runs summed."""
    shop_server.run(f"ALTER DATABASE {DATABASE} SET timezone = 'America/Bogota'")
    found = scraped(target(shop_server, READY_MADE), folder)
    assert found.failed == {}
    ages = found.series("sereno_sql_table_age_seconds")
    assert set(ages) == {("public.orders",), ("orders",)}
    assert all(59 < age < 600 for age in ages.values())
    assert found.series("sereno_sql_table_rows") == {("exact", "orders"): 2000, ("estimated", "etl.runs"): 3}
    load, clean = ("orders", "load", "etl.runs"), ("orders", "clean", "etl.runs")
    assert found.series("sereno_sql_etl_rows_in_total") == {load: 15, clean: 14}
    assert found.series("sereno_sql_etl_rows_out_total") == {load: 14, clean: 14}
    assert found.series("sereno_sql_etl_rows_rejected_total") == {load: 1}
    assert 19 < found.series("sereno_sql_etl_stage_age_seconds")[load] < 600


def test_mistakes_of_ready_made_parts(shop_server: PostgresqlServer, folder: Path) -> None:
    """A table or column that isn't there, or holds something else, is told with its name."""
    shop_server.run(
        "DROP TABLE IF EXISTS fresh; CREATE TABLE fresh (id int); GRANT SELECT ON fresh TO reader", DATABASE
    )
    rest = """\
        freshness: [{table: orders, column: missing}, {table: orders2, column: a}, {table: public.orders, column: note}]
        rows: [{table: nowhere, counted: estimated}, {table: fresh, counted: estimated}]
"""
    failed = scraped(target(shop_server, rest), folder).failed
    assert failed["freshness_orders"] == 'the table orders: column "missing" does not exist'
    assert failed["freshness_orders2"] == 'the table orders2: relation "orders2" does not exist'
    assert "operator does not exist" in failed["freshness_public_orders"]
    assert failed["rows_nowhere"] == "there is no table nowhere"
    assert failed["rows_fresh"] == "fresh was never analysed: ANALYZE fresh, or counted: exact"


def test_what_postgresql_tells_of_itself(shop_server: PostgresqlServer, folder: Path) -> None:
    """Statements without their constants, unused indices, large tables read from end to end, sizes, connections."""
    with psycopg.connect(shop_server.url(DATABASE), autocommit=True) as idle:
        for number in (41, 42):
            idle.execute(f"SELECT count(*) FROM orders WHERE id < {number} AND state > 'secret {number}'".encode())
        idle.execute("ALTER ROLE reader PASSWORD 'read only'")
        idle.execute("SELECT pg_stat_force_next_flush()")
        found = wait_for(lambda: _with_scans(scraped(target(shop_server, WITH_OWN), folder)), what="scans are counted")
    assert found.failed == {}
    calls = {text: number for (_, text), number in found.series("sereno_sql_statement_calls_total").items()}
    assert calls["SELECT count(*) FROM orders WHERE id < $1 AND state > $2"] == 2
    assert "ALTER …" in calls
    assert "read only" not in str(calls)
    seconds, mean = (
        found.series("sereno_sql_statement_seconds_total"),
        found.series("sereno_sql_statement_mean_seconds"),
    )
    assert seconds.keys() == mean.keys()
    assert all(0 < each < 60 for each in mean.values())
    assert found.series("sereno_sql_index_unused_bytes")[("orders_note", "public.orders")] > 8_000
    assert 0 <= found.value("sereno_sql_statistics_age_seconds") < 3_600
    assert {index for index, _ in found.series("sereno_sql_index_unused_bytes")} == {"orders_note"}
    assert found.series("sereno_sql_table_sequential_rows_total")[("public.orders",)] >= 2000
    assert found.series("sereno_sql_database_size_bytes")[(DATABASE,)] > 1_000_000
    sizes = found.series("sereno_sql_table_size_bytes")
    assert next(iter(sizes)) == ("public.orders",)
    assert sizes[("public.orders",)] > found.series("sereno_sql_table_index_size_bytes")[("public.orders",)] > 0
    assert found.series("sereno_sql_connections")[(DATABASE, "idle")] == 1
    assert found.value("sereno_sql_connections_limit") == 37
    assert found.value("sereno_sql_oldest_transaction_age_seconds") < 60


def _with_scans(found: Scrape) -> Scrape | None:
    return found if found.series("sereno_sql_table_sequential_rows_total") else None


def test_without_its_extension_or_rights_the_statements_say_so(shop_server: PostgresqlServer, folder: Path) -> None:
    """Only that part fails, and says what to run."""
    rest = "        postgresql: {statements: {}, connections: true}\n"
    found = scraped(target(shop_server, rest, database="postgres"), folder)
    assert set(found.failed) == {"statements"}
    assert "CREATE EXTENSION pg_stat_statements" in found.failed["statements"]
    assert found.value("sereno_sql_connections_limit") == 37
