# ruff: noqa: S608 - tests write statements
"""A PostgreSQL that does not let us in, dies, or stops in the middle."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from support.certificates import authority, issued
from support.postgresql import PASSWORD, USER, PostgresqlServer, marked, running_postgresql
from support.sql_exporter import Scrape, scraped, scraping, write_secrets
from support.sql_shop import READERS_PASSWORD, query, target
from support.waiting import wait_for

pytestmark = marked


@pytest.mark.parametrize(
    ("changes", "reason", "message"),
    [
        ({"password_file": "owners_password"}, "refused", 'password authentication failed for user "reader"'),
        ({"database": "nowhere"}, "configuration", 'database "nowhere" does not exist'),
        ({"port": "1"}, "unreachable", "can't be reached"),
        ({"password_file": "nowhere"}, "configuration", "nowhere can't be read"),
        ({"tls": "encrypted"}, "configuration", "server does not support SSL"),
    ],
)
def test_a_database_that_does_not_let_us_in(
    shop_server: PostgresqlServer, folder: Path, changes: dict[str, str], reason: str, message: str
) -> None:
    """Wrong password, no such database, nobody there, no TLS: reason and sentence, without the password."""
    found = scraped(target(shop_server, "        queries:\n" + query("SELECT 1 AS n"), **changes), folder)
    why, text = found.failure("query_q")
    assert (why, message in text) == (reason, True), text
    assert READERS_PASSWORD not in text
    assert PASSWORD not in text
    assert found.value("sereno_sql_up") == 0


def test_secrets_are_read_anew_for_each_scrape(shop_server: PostgresqlServer, folder: Path) -> None:
    """A password that was rotated is used without a restart."""
    with scraping(target(shop_server, "        queries:\n" + query("SELECT 1 AS n")), folder) as scrapers:
        assert Scrape(scrapers.scrape()).failed == {}
        (folder / "password").write_text("old\n")
        assert Scrape(scrapers.scrape()).failure("query_q")[0] == "refused"
        (folder / "password").write_text(f"{READERS_PASSWORD}\n")
        assert Scrape(scrapers.scrape()).failed == {}


@pytest.fixture
def own_server(folder: Path) -> Iterator[PostgresqlServer]:
    """A server that a test may end."""
    write_secrets(folder, {"user": USER, "password": PASSWORD})
    with running_postgresql() as server:
        yield server


def test_a_server_that_dies_is_down_and_comes_back(own_server: PostgresqlServer, folder: Path) -> None:
    """Killed in the middle of a query it is `up 0` with no series of it; started again, it is up with all of them."""
    rest = "        queries:\n" + query("SELECT count(*) AS n FROM pg_sleep(0.1)")
    with scraping(target(own_server, rest, database="postgres"), folder) as scrapers:
        assert Scrape(scrapers.scrape()).value("sereno_sql_up") == 1
        own_server.kill()
        found = Scrape(scrapers.scrape())
        assert found.value("sereno_sql_up") == 0
        assert found.failure("query_q")[0] == "unreachable"
        assert found.series("sereno_sql_query_q_things") == {}
        own_server.start_again()
        found = Scrape(scrapers.scrape())
        assert found.value("sereno_sql_up") == 1
        assert found.series("sereno_sql_query_q_things") == {(): 1}


def test_a_backend_that_stops_in_the_middle_is_hung_up(own_server: PostgresqlServer, folder: Path) -> None:
    """A server that enforces no timeout any more costs the query's own, and no thread."""
    rest = "        queries:\n" + query("SELECT count(*) AS n FROM pg_sleep(4)", more="            timeout: 1s\n")
    with (
        psycopg.connect(own_server.url(), autocommit=True) as connection,
        scraping(target(own_server, rest, database="postgres"), folder) as scrapers,
        ThreadPoolExecutor(1) as pool,
    ):
        scrape = pool.submit(scrapers.scrape)
        running = "SELECT pid FROM pg_stat_activity WHERE application_name = 'sereno exporter' AND state = 'active'"
        (backend,) = wait_for(lambda: connection.execute(running).fetchone(), what="the query runs", timeout_seconds=3)
        os.kill(backend, signal.SIGSTOP)
        try:
            begun = time.monotonic()
            found = Scrape(scrape.result())
            assert time.monotonic() - begun < 4
            reason, message = found.failure("query_q")
            assert (reason, "does not answer in time" in message) == ("timeout", True)
        finally:
            os.kill(backend, signal.SIGCONT)


def test_certificates_are_checked_where_that_is_asked(own_server: PostgresqlServer, folder: Path) -> None:
    """`verified` takes a certificate of the authority that is named, no other's; `encrypted` takes any."""
    by, stranger = authority(folder), authority(folder, "stranger")
    made = issued(folder, by)
    for path, name in ((made.path, "server.crt"), (made.key, "server.key")):
        own_server.take(path, name)
    own_server.run(
        f"ALTER SYSTEM SET ssl_cert_file = '{own_server.folder}/server.crt';"
        f"ALTER SYSTEM SET ssl_key_file = '{own_server.folder}/server.key';"
        "ALTER SYSTEM SET ssl = on; SELECT pg_reload_conf()"
    )
    rest = "        queries:\n" + query("SELECT ssl AS n FROM pg_stat_ssl WHERE pid = pg_backend_pid()")

    def found(**changes: str) -> Scrape:
        return scraped(target(own_server, rest, database="postgres", **changes), folder)

    wait_for(lambda: not found(tls="encrypted").failed, what="the server has read its configuration")
    assert found(tls="encrypted").value("sereno_sql_query_q_things") == 1
    assert found(tls="verified", ca_file=str(by.path)).value("sereno_sql_query_q_things") == 1
    assert found(tls="off").value("sereno_sql_query_q_things") == 0
    for changes in ({"ca_file": str(stranger.path)}, {}):
        reason, message = found(tls="verified", **changes).failure("query_q")
        assert (reason, "certificate verify failed" in message) == ("configuration", True), message
