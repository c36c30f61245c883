"""Only statements that read get as far as a database."""

import sqlite3
from contextlib import closing, suppress

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sereno_exporters.sql.statement import Dialect, Unsafe, reads_only
from sqlglot import exp

POSTGRESQL, MYSQL, SQLITE = Dialect.POSTGRESQL, Dialect.MYSQL, Dialect.SQLITE
PARSERS = {POSTGRESQL: "postgres", MYSQL: "mysql", SQLITE: "sqlite"}

READING = [
    (SQLITE, "SELECT 1", "SELECT 1"),
    (SQLITE, "SELECT 1;", "SELECT 1"),
    (POSTGRESQL, " -- first\nSELECT 1 ;; -- last", "-- first\nSELECT 1"),
    (POSTGRESQL, "SELECT 'DELETE; FROM t' AS a, $$;$$ AS b", None),
    (POSTGRESQL, "(SELECT 1) UNION ALL SELECT 2 EXCEPT SELECT 3", None),
    (POSTGRESQL, "WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT n + 1 FROM r WHERE n < 3) SELECT * FROM r", None),
    (POSTGRESQL, "SELECT count(*) FILTER (WHERE x) FROM t GROUP BY ROLLUP (a)", None),
    (POSTGRESQL, "SELECT a ->> 'b', c::interval, now() AT TIME ZONE 'UTC' FROM t WHERE d @> '{}'", None),
    (POSTGRESQL, "SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY x) FROM t", None),
    (POSTGRESQL, "SELECT pg_database_size(current_database())", None),
    (POSTGRESQL, 'SELECT setval FROM "dblink"', None),
    (POSTGRESQL, "SELECT 'pg_terminate_backend' || '(1)'", None),
    (MYSQL, "SELECT state, COUNT(*) FROM `orders` WHERE note = 'it\\'s; DROP' GROUP BY state # all", None),
    (MYSQL, "SELECT JSON_EXTRACT(a, '$.b') FROM t STRAIGHT_JOIN u", None),
    (SQLITE, "SELECT strftime('%s', 'now') FROM t WHERE x GLOB 'a*'", None),
]

REFUSED = [
    (SQLITE, "", "there is no statement"),
    (SQLITE, "-- SELECT 1", "there is no statement"),
    (POSTGRESQL, "SELECT 1; SELECT 2", "there are 2 statements"),
    (POSTGRESQL, "SELECT '\\'; DELETE FROM t -- '", "there are 2 statements"),
    (POSTGRESQL, "SELECT (\n(", "can't be read as postgresql SQL: line 2, column"),
    (POSTGRESQL, "VALUES (1)", "the statement begins with VALUES"),
    (POSTGRESQL, "EXPLAIN ANALYZE DELETE FROM t", "the statement begins with EXPLAIN"),
    (POSTGRESQL, "COPY (SELECT 1) TO PROGRAM 'sh'", "the statement begins with COPY"),
    (POSTGRESQL, "DO $$ BEGIN END $$", "the statement begins with DO"),
    (POSTGRESQL, "WITH x AS (SELECT 1) DELETE FROM t", "the statement is DELETE"),
    (POSTGRESQL, "(VALUES (1))", "the statement is "),
    (POSTGRESQL, "SELECT * INTO a FROM b", "SELECT … INTO writes"),
    (POSTGRESQL, "SELECT * FROM t FOR UPDATE", "lock rows"),
    (POSTGRESQL, "SELECT * FROM (SELECT * FROM t FOR SHARE) u", "lock rows"),
    (POSTGRESQL, "WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone", "WITH contains DELETE"),
    (
        POSTGRESQL,
        "SELECT * FROM (WITH x AS (UPDATE t SET a = 1 RETURNING *) SELECT * FROM x) y",
        "WITH contains UPDATE",
    ),
    (POSTGRESQL, 'SELECT PG_CATALOG . "pg_terminate_backend" /* */ (1)', "the function pg_terminate_backend"),
    (POSTGRESQL, 'SELECT U&"pg\\005fterminate_backend"(1)', "written with escapes"),
    (POSTGRESQL, "SELECT * FROM dblink('a', 'DELETE') AS t (a int)", "the function dblink"),
    (POSTGRESQL, "SELECT 1 WHERE nextval('ids') > 0", "the function nextval"),
    (POSTGRESQL, "SELECT query_to_xml('SELECT pg_reload_conf()', true, true, '')", "the function query_to_xml"),
    (POSTGRESQL, "SELECT set_config('statement_timeout', '0', false)", "the function set_config"),
    (POSTGRESQL, "SELECT pg_stat_reset()", "the function pg_stat_reset"),
    (POSTGRESQL, "/*+ Set(statement_timeout 0) */ SELECT 1", "the comment that begins with /*+"),
    (MYSQL, "SELECT /*! SLEEP(9), */ 1", "the comment that begins with /*!"),
    (MYSQL, "SELECT /*M!100000 SLEEP(9), */ 1", "the comment that begins with /*M!"),
    (MYSQL, "SELECT /*+ SET_VAR(max_execution_time = 0) */ 1", "the comment that begins with /*+"),
    (MYSQL, "SELECT 1 INTO OUTFILE '/tmp/x'", "can't be read as mysql SQL"),
    (MYSQL, "SELECT * FROM t LOCK IN SHARE MODE", "lock rows"),
    (MYSQL, "SELECT load_file('/etc/passwd')", "the function load_file"),
    (MYSQL, "SELECT GET_LOCK('a', 1)", "the function GET_LOCK"),
    (MYSQL, "SELECT master_gtid_wait('0-1-1')", "the function master_gtid_wait"),
    # To MySQL: {x GET_LOCK('a', 1)} AS n, 1 AS m; to a parser of templates: 1 AS m.
    (MYSQL, "SELECT {#\nx GET_LOCK('a', 1)} AS n, # #}\n1 AS m", "{# is no comment to a database"),
    (POSTGRESQL, "SELECT pg_clear_relation_stats('a', 'b')", "the function pg_clear_relation_stats"),
    (SQLITE, "PRAGMA writable_schema = 1", "the statement begins with PRAGMA"),
    (SQLITE, "ATTACH 'x' AS y", "the statement begins with ATTACH"),
    (SQLITE, "SELECT load_extension('x')", "the function load_extension"),
]

WRITES = [
    "INSERT INTO t VALUES (1)",
    "INSERT INTO t SELECT 1",
    "UPDATE t SET a = 1",
    "DELETE FROM t",
    "CREATE TABLE u (a INT)",
    "CREATE VIEW v AS SELECT 1",
    "CREATE INDEX i ON t (a)",
    "DROP TABLE t",
    "ALTER TABLE t ADD COLUMN b INT",
    "TRUNCATE TABLE t",
    "GRANT SELECT ON t TO u",
    "VACUUM",
    "COMMIT",
    "SET a = 1",
]


@pytest.mark.parametrize(("dialect", "sql", "text"), READING)
def test_what_reads_is_handed_on_as_it_is(dialect: Dialect, sql: str, text: str | None) -> None:
    """A query goes through letter by letter, but for semicolons at its end and what follows them."""
    assert reads_only(sql, dialect) == (text if text is not None else sql)


@pytest.mark.parametrize(("dialect", "sql", "why"), REFUSED)
def test_what_does_more_is_refused_with_the_reason(dialect: Dialect, sql: str, why: str) -> None:
    """Writing, locking, several statements, functions that reach out, comments that are executed."""
    found = reads_only(sql, dialect)
    assert isinstance(found, Unsafe)
    assert why in found.message
    assert found.hint


@st.composite
def statements(draw: st.DrawFn) -> str:
    """Statements that hide a write, or don't, where SQL has room for statements."""
    inner = draw(st.sampled_from([*WRITES, "SELECT 1 AS a", "SELECT a FROM t"]))
    for _ in range(draw(st.integers(0, 3))):
        form = draw(
            st.sampled_from(
                [
                    "WITH w AS ({}) SELECT * FROM w",
                    "WITH w AS (SELECT 1 AS a), x AS ({} RETURNING *) SELECT * FROM x",
                    "SELECT * FROM ({}) AS u",
                    "SELECT ({}) AS a",
                    "SELECT 1 AS a WHERE EXISTS ({})",
                    "SELECT 1 AS a UNION ALL {}",
                    "({})",
                    "SELECT 1; {}",
                    "{}; SELECT 1",
                    "EXPLAIN {}",
                    "/* {} */ SELECT 1",
                    "SELECT '{}' AS a",
                ]
            )
        )
        inner = form.format(inner)
    return draw(st.sampled_from([inner, inner.lower(), f"-- x\n{inner}", f"{inner};", inner.replace(" ", "\n")]))


@given(statements(), st.sampled_from(list(Dialect)))
def test_no_statement_that_writes_to_the_parser_is_run(sql: str, dialect: Dialect) -> None:
    """Whatever the parser finds a write, a command or a second statement in is refused."""
    if isinstance(reads_only(sql, dialect), Unsafe):
        return
    (statement,) = [
        each for each in sqlglot.parse(sql, dialect=PARSERS[dialect]) if not isinstance(each, exp.Semicolon)
    ]
    assert statement is not None
    assert (
        statement.find(exp.DML, exp.DDL, exp.Command, exp.Drop, exp.Alter, exp.TruncateTable, exp.Into, exp.Lock)
        is None
    )


@given(statements())
def test_what_is_run_changes_nothing_in_a_real_database(sql: str) -> None:
    """A database that would let statements write is the same after each one that gets through."""
    text = reads_only(sql, SQLITE)
    if isinstance(text, Unsafe):
        return
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE t (a INT)")
        before = list(connection.iterdump())
        with suppress(sqlite3.Error):
            connection.execute(f"SELECT * FROM (\n{text}\n) AS sereno_rows LIMIT 3").fetchall()  # noqa: S608
        assert list(connection.iterdump()) == before
        assert connection.total_changes == 0


@given(st.text(), st.sampled_from(list(Dialect)))
def test_any_text_is_answered(text: str, dialect: Dialect) -> None:
    """Whatever somebody writes is a statement or a mistake, never a crash."""
    assert isinstance(reads_only(text, dialect), str | Unsafe)


def test_deep_nesting_is_a_mistake_not_a_crash() -> None:
    """A text that exhausts the parser is refused."""
    assert isinstance(reads_only(f"SELECT {'(' * 5_000}1{')' * 5_000}", POSTGRESQL), Unsafe)
