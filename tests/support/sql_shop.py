"""A shop's database on PostgreSQL, and the exporter's targets there: tests of several files share it."""

from pathlib import Path

import pytest

from support.postgresql import PASSWORD, USER, PostgresqlServer
from support.sql_exporter import Scrape, scraped, write_secrets

DATABASE = "sql_exporter"
READER, READERS_PASSWORD = "reader", "read only"

TABLES = """
CREATE TABLE orders (id bigint PRIMARY KEY, state text, note text, written_at timestamptz, "Local Time" timestamp);
INSERT INTO orders SELECT n, CASE WHEN n % 4 = 0 THEN 'open' ELSE 'paid' END, 'n' || n, now() - n * interval '1 minute',
    (now() AT TIME ZONE 'UTC') - n * interval '1 minute' FROM generate_series(1, 2000) AS n;
CREATE INDEX orders_note ON orders (note);
CREATE UNIQUE INDEX orders_unique ON orders (note, id);
CREATE TABLE empty (id int, written_at timestamptz);
CREATE TABLE locked (id int, written_at timestamptz);
CREATE SCHEMA etl;
CREATE TABLE etl.runs (pipeline text, stage text, rows_in int, rows_out int, rejected int, ended timestamptz);
INSERT INTO etl.runs VALUES ('orders', 'load', 10, 9, 1, now() - interval '50 s'),
    ('orders', 'load', 5, 5, 0, now() - interval '20 s'),
    ('orders', 'clean', 14, 14, NULL, NULL);
CREATE TABLE written (id int);
CREATE FUNCTION writes() RETURNS int LANGUAGE sql AS 'INSERT INTO written VALUES (1) RETURNING id';
CREATE EXTENSION pg_stat_statements;
CREATE ROLE reader LOGIN PASSWORD 'read only';
GRANT pg_monitor TO reader;
GRANT USAGE ON SCHEMA etl TO reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public, etl TO reader;
GRANT INSERT ON written TO reader;
ANALYZE;
"""
READY_MADE = """\
        freshness:
          - {table: public.orders, column: written_at}
          - {table: orders, column: Local Time}
          - {table: empty, column: written_at}
        rows: [{table: orders}, {table: etl.runs, counted: estimated}]
        etl:
          - {table: etl.runs, pipeline: pipeline, stage: stage, rows_in: rows_in, rows_out: rows_out,
             rows_rejected: rejected, finished_at: ended}
"""
WITH_OWN = """\
        postgresql: {statements: {most: 100}, indices: {large_table_rows: 1000}, sizes: {}, connections: true}
"""


@pytest.fixture(scope="session")
def shop_server(postgresql: PostgresqlServer) -> PostgresqlServer:
    """The shared server with the shop's database."""
    postgresql.run(f"CREATE DATABASE {DATABASE}")
    postgresql.run(TABLES, DATABASE)
    return postgresql


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the configuration is, with its secrets."""
    write_secrets(tmp_path, {"user": READER, "password": READERS_PASSWORD, "owner": USER, "owners_password": PASSWORD})
    return tmp_path


def target(server: PostgresqlServer, rest: str, **changes: str) -> str:
    """A target of the reader's; `rest` is indented by eight."""
    keys = {
        "dialect": "postgresql",
        "host": "127.0.0.1",
        "port": str(server.port),
        "database": DATABASE,
        "username_file": "user",
        "password_file": "password",
    } | changes
    return "      shop:\n" + "".join(f"        {key}: {value}\n" for key, value in keys.items()) + rest


def query(sql: str, *, name: str = "q", labels: str = "[]", more: str = "") -> str:
    """A query whose column n is a metric."""
    return (
        f'          - name: {name}\n            sql: "{sql}"\n            labels: {labels}\n'
        f"            values: [{{column: n, metric: {name}_things, unit: things, help: H}}]\n{more}"
    )


def answer(server: PostgresqlServer, folder: Path, sql: str, **rest: str) -> Scrape:
    """What one query brings."""
    return scraped(target(server, "        queries:\n" + query(sql, **rest)), folder)
