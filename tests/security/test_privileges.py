"""What the documentation grants suffices, and nothing beside it can be read or written: on the real server."""

import json
import re
import subprocess

from support.listeners import ROOT
from support.postgresql import PROGRAMS, PostgresqlServer, marked, postgresql

__all__ = ["postgresql"]
pytestmark = marked

TABLES = """
CREATE TABLE orders (id int); CREATE TABLE customers (id int); CREATE TABLE salaries (amount int);
CREATE SCHEMA etl; CREATE TABLE etl.runs (id int); CREATE TABLE etl.keys (id int);
"""


def documented() -> str:
    """The statements of docs/exporters/sql.md, with a password."""
    (statements,) = re.findall(
        r"```sql\n(CREATE ROLE exporter.*?)```", (ROOT / "docs/exporters/sql.md").read_text(), re.DOTALL
    )
    return str(statements).replace("'…'", "'only for tests'")


def asked(server: PostgresqlServer, sql: str) -> str:
    """What the role is told; empty where it may."""
    assert PROGRAMS is not None
    url = f"postgresql://exporter:only%20for%20tests@127.0.0.1:{server.port}/privileges"
    command = [str(PROGRAMS / "psql"), "-qX", "-v", "ON_ERROR_STOP=1", "-c", sql, url]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stderr


def test_the_exporters_role_reads_what_it_must_and_nothing_else(postgresql: PostgresqlServer) -> None:
    """The tables that are named and the server's own figures; other tables, writing and files are refused."""
    postgresql.run("CREATE DATABASE privileges")
    try:
        postgresql.run(TABLES + documented(), "privileges")
        for sql in ("orders", "customers", "etl.runs", "pg_stat_activity", "pg_stat_database", "pg_stat_replication"):
            assert asked(postgresql, f"TABLE {sql}") == "", sql
        for sql in (
            "SELECT * FROM salaries",
            "SELECT * FROM etl.keys",
            "SELECT * FROM pg_authid",
            "INSERT INTO orders VALUES (1)",
            "DELETE FROM etl.runs",
            "CREATE TABLE etl.mine (id int)",
            "COPY orders TO PROGRAM 'true'",
            "SELECT pg_read_file('/etc/passwd')",
            "SET ROLE postgres; SELECT 1",
        ):
            assert re.search(r"permission denied|does not exist|must be", asked(postgresql, sql)), sql
    finally:
        postgresql.run("DROP DATABASE privileges WITH (FORCE)")
        postgresql.run("DROP ROLE exporter")


def test_policies_are_ready_to_use() -> None:
    """JSON of AWS' form, with the calls that the exporter's code makes and no other."""
    (policy,) = [
        json.loads(found)
        for found in re.findall(r"```json\n(.*?)```", (ROOT / "docs/security.md").read_text(), re.DOTALL)
    ]
    actions = {action for statement in policy["Statement"] for action in statement["Action"]}
    code = "".join(path.read_text() for path in (ROOT / "exporters/sereno_exporters/aws").rglob("*.py"))
    called = {
        f"cloudwatch:{''.join(word.capitalize() for word in call.split('_'))}"
        for call in re.findall(r"client\.((?:get|list|describe|put|delete)_[a-z_]+)", code)
    }
    assert actions == called
