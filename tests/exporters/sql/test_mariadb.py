# ruff: noqa: S608 - tests write statements
"""The SQL exporter by MySQL's protocol, on a real MariaDB."""

import time
from pathlib import Path

import pytest
from support.certificates import authority
from support.mariadb import PASSWORD, USER, MariadbServer, marked
from support.sql_exporter import Scrape, scraped, scraping, write_secrets

pytestmark = marked


@pytest.fixture(scope="module")
def shop(mariadb: MariadbServer) -> MariadbServer:
    """The server, with tables."""
    mariadb.run(
        "CREATE TABLE orders (id INT PRIMARY KEY, state VARCHAR(10), written_at DATETIME(3), stamped_at TIMESTAMP)",
        "INSERT INTO orders VALUES (1, 'paid', UTC_TIMESTAMP() - INTERVAL 90 SECOND, NOW() - INTERVAL 90 SECOND),"
        " (2, 'open', UTC_TIMESTAMP() - INTERVAL 1 DAY, NOW() - INTERVAL 1 DAY)",
        "CREATE TABLE held (id INT)",
        "CREATE TABLE runs (pipeline VARCHAR(10), stage VARCHAR(10), taken INT, ended DATETIME)",
        "INSERT INTO runs VALUES ('p', 's', 4, UTC_TIMESTAMP() - INTERVAL 20 SECOND), ('p', 's', 3, NULL)",
        "CREATE TABLE written (id INT)",
        "CREATE FUNCTION writes() RETURNS INT BEGIN INSERT INTO written VALUES (1); RETURN 1; END",
        "SET GLOBAL time_zone = '-05:00'",
        "ANALYZE TABLE orders",
    )
    return mariadb


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the configuration is, with its secrets."""
    write_secrets(tmp_path, {"user": USER, "password": PASSWORD, "wrong": "wrong"})
    return tmp_path


def target(server: MariadbServer, rest: str, **changes: str) -> str:
    """A target; `rest` is indented by eight."""
    keys = {"dialect": "mysql", "host": "127.0.0.1", "port": str(server.port), "database": "shop"}
    keys |= {"username_file": "user", "password_file": "password"} | changes
    return "      shop:\n" + "".join(f"        {key}: {value}\n" for key, value in keys.items()) + rest


def query(sql: str, *, name: str = "q", labels: str = "[]", more: str = "") -> str:
    """A query whose column n is a metric."""
    return (
        f'          - name: {name}\n            sql: "{sql}"\n            labels: {labels}\n'
        f"            values: [{{column: n, metric: {name}_things, unit: things, help: H}}]\n{more}"
    )


def answer(server: MariadbServer, folder: Path, sql: str, **rest: str) -> Scrape:
    """What one query brings."""
    return scraped(target(server, "        queries:\n" + query(sql, **rest)), folder)


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("CAST(12.5 AS DECIMAL(8, 2))", 12.5),
        ("TRUE", 1),
        ("TIMESTAMP '2026-01-02 03:04:05'", 1767323045),
        ("DATE '2026-01-02'", 1767312000),
        ("TIMEDIFF('30:00:00', '04:00:00')", 93600),
        ("LENGTH('%s :x ? it\\\\'s')", 12),
    ],
)
def test_types_become_numbers_in_base_units(shop: MariadbServer, folder: Path, cell: str, number: float) -> None:
    """Decimals, truth, moments (seconds since the epoch, in UTC) and spans of time (seconds)."""
    found = answer(shop, folder, f"SELECT {cell} AS n")
    assert found.failed == {}
    assert found.value("sereno_sql_query_q_things") == number


@pytest.mark.parametrize(
    ("sql", "reason", "message"),
    [
        ("SELECT 1 AS m", "configuration", "the query q has no column n; it has m"),
        ("SELECT 'a' AS n", "configuration", "the column n holds text where a number is due"),
        ("SELECT x'00' AS n", "configuration", "the column n holds binary data"),
        ("SELECT 1 AS n FROM nowhere", "configuration", "Table 'shop.nowhere' doesn't exist"),
        ("SELECT 1 AS n, 2 AS n", "configuration", "Duplicate column name 'n'"),
        ("SELECT writes() AS n", "configuration", "Cannot execute statement in a READ ONLY transaction"),
    ],
)
def test_what_only_the_database_knows_is_told_with_the_query(
    shop: MariadbServer, folder: Path, sql: str, reason: str, message: str
) -> None:
    """A missing column or table, a function that writes though a SELECT calls it: reason and sentence."""
    found = answer(shop, folder, sql)
    assert found.failure("query_q")[0] == reason
    assert message in found.failure("query_q")[1]
    with shop.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM written")
        assert cursor.fetchone() == (0,)


def test_ready_made_parts(shop: MariadbServer, folder: Path) -> None:
    """Ages by the database's clock in UTC whatever the server's zone, rows counted or estimated, runs summed."""
    rest = """\
        freshness: [{table: orders, column: written_at}, {table: shop.orders, column: stamped_at}]
        rows: [{table: orders}, {table: shop.orders, counted: estimated}]
        etl: [{table: runs, pipeline: pipeline, stage: stage, rows_in: taken, finished_at: ended}]
"""
    found = scraped(target(shop, rest), folder)
    assert found.failed == {}
    ages = found.series("sereno_sql_table_age_seconds")
    assert set(ages) == {("orders",), ("shop.orders",)}
    assert all(89 < age < 400 for age in ages.values())
    assert found.series("sereno_sql_table_rows") == {("exact", "orders"): 2, ("estimated", "shop.orders"): 2}
    assert found.series("sereno_sql_etl_rows_in_total") == {("p", "s", "runs"): 7}
    assert 19 < found.series("sereno_sql_etl_stage_age_seconds")[("p", "s", "runs")] < 400


def test_a_lock_costs_its_own_part_only(shop: MariadbServer, folder: Path) -> None:
    """While a table is locked its query times out, and the others answer; afterwards it does."""
    rest = (
        "        queries:\n"
        + query("SELECT COUNT(*) AS n FROM orders")
        + query("SELECT COUNT(*) AS n FROM held", name="held", more="            timeout: 800ms\n")
    )
    with shop.connect() as connection, scraping(target(shop, rest), folder) as scrapers, connection.cursor() as cursor:
        cursor.execute("LOCK TABLES held WRITE")
        begun = time.monotonic()
        found = Scrape(scrapers.scrape())
        assert time.monotonic() - begun < 4
        assert set(found.failed) == {"query_held"}
        assert found.failure("query_held")[0] == "timeout"
        assert found.value("sereno_sql_query_q_things") == 2
        cursor.execute("UNLOCK TABLES")
        assert Scrape(scrapers.scrape()).failed == {}


def test_a_query_that_never_ends_is_broken_off_by_the_server(shop: MariadbServer, folder: Path) -> None:
    """The server itself ends a statement when its time is over."""
    many = "(SELECT 1 AS n FROM information_schema.COLLATIONS)"
    endless = f"SELECT SUM(a.n + b.n + c.n + d.n) AS n FROM {many} a, {many} b, {many} c, {many} d"
    reason, message = answer(shop, folder, endless, more="            timeout: 800ms\n").failure("query_q")
    assert (reason, "max_statement_time exceeded" in message) == ("timeout", True), message


@pytest.mark.parametrize(
    ("changes", "reason", "message"),
    [
        ({"password_file": "wrong"}, "refused", "Access denied for user 'sereno'@'127.0.0.1'"),
        ({"database": "nowhere"}, "configuration", "Unknown database 'nowhere'"),
        ({"port": "1"}, "unreachable", "can't be reached"),
    ],
)
def test_a_database_that_does_not_let_us_in(
    shop: MariadbServer, folder: Path, changes: dict[str, str], reason: str, message: str
) -> None:
    """Wrong password, no such database, nobody there: reason and sentence, without the password."""
    found = scraped(target(shop, "        queries:\n" + query("SELECT 1 AS n"), **changes), folder)
    why, text = found.failure("query_q")
    assert (why, message in text) == (reason, True), text
    assert PASSWORD not in text
    assert found.value("sereno_sql_up") == 0


def test_certificates_are_checked_where_that_is_asked(shop: MariadbServer, folder: Path) -> None:
    """`verified` takes a certificate of the authority that is named, no other's; `encrypted` takes any."""
    cipher = "information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'Ssl_cipher'"
    sql = f"SELECT LENGTH(VARIABLE_VALUE) > 0 AS n FROM {cipher}"
    rest = f"        queries:\n{query(sql)}"
    stranger = authority(folder, "stranger").path
    good = scraped(target(shop, rest, tls="verified", ca_file=str(shop.ca_file)), folder)
    assert good.value("sereno_sql_query_q_things") == 1
    assert scraped(target(shop, rest, tls="encrypted"), folder).value("sereno_sql_query_q_things") == 1
    assert scraped(target(shop, rest, tls="off"), folder).value("sereno_sql_query_q_things") == 0
    reason, message = scraped(target(shop, rest, tls="verified", ca_file=str(stranger)), folder).failure("query_q")
    assert (reason, "CERTIFICATE_VERIFY_FAILED" in message) == ("configuration", True), message


@pytest.mark.parametrize("mode", ["ANSI", "ORACLE", "NO_BACKSLASH_ESCAPES,ONLY_FULL_GROUP_BY"])
def test_quotes_mean_to_the_server_what_they_meant_to_who_looked(shop: MariadbServer, folder: Path, mode: str) -> None:
    """Whatever modes a server has by default, double quotes hold texts and backslashes escape; other modes stay."""
    shop.run(f"SET GLOBAL sql_mode = '{mode}'")
    try:
        found = answer(shop, folder, r"""SELECT LENGTH(\"\\'b\") + 10 * (@@sql_mode LIKE '%FULL%') AS n""")
    finally:
        shop.run("SET GLOBAL sql_mode = DEFAULT")
    assert found.failed == {}
    assert found.value("sereno_sql_query_q_things") == (12 if "FULL" in mode else 2)
