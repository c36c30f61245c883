"""What is wrong in a configuration is told when it is read: place, code, cure."""

import subprocess
import sys

import pytest
from sereno_exporters.frame.configuration import grammar_of
from sereno_exporters.kinds import load
from sereno_exporters.sql.families import ALL
from sereno_exporters.sql.query_words import QUERY_PREFIX
from support.sql_exporter import mistakes

SHOP = "      shop: {dialect: sqlite, file: shop.sqlite, "
POSTGRESQL = "      shop: {dialect: postgresql, host: 127.0.0.1, database: shop, username_file: user, "
QUERY = "name: q, sql: SELECT 1 AS n, values: [{column: n, metric: m_orders, unit: orders, help: H}]"


def query(**changes: str) -> str:
    """A target with one query, of which some keys are different."""
    value = {"column": "n", "metric": "shop_orders", "unit": "orders", "help": "Orders."}
    value |= {key: text for key, text in changes.items() if key in {*value, "kind"}}
    rest = {"name": "q", "sql": "SELECT 1 AS n", "labels": "[]"} | {
        key: text for key, text in changes.items() if key not in value
    }
    inner = ", ".join(f"{key}: {text}" for key, text in value.items())
    outer = ", ".join(f"{key}: {text}" for key, text in rest.items())
    return f"{SHOP}queries: [{{{outer}, values: [{{{inner}}}]}}]}}\n"


MISTAKES = [
    (query(metric="Shop-Orders"), "5:", "error[SLO011]: 'Shop-Orders' is no name of a metric", "(write shop_orders)"),
    (
        query(metric="shop_open"),
        "5:",
        "error[SLO011]: shop_open does not end with its unit",
        "(write shop_open_orders)",
    ),
    (query(metric="orders_total"), "5:", "counters get _total by themselves", "(write orders, kind: counter)"),
    (query(metric="sereno_sql_query_orders"), "5:", "begins with sereno_sql_query_ anyway", "(write orders)"),
    (query(unit="ms", metric="a_ms"), "5:", "error[SLO006]: ms is no base unit", "(write seconds, and convert"),
    (query(unit="percent", metric="a_percent"), "5:", "percent is no base unit", "(write ratio, and convert"),
    (query(unit="count", metric="a_count"), "5:", "count is no unit", "(write what is counted"),
    (query(kind="histogram"), "5:", "error[SLO006]: kind is the text 'histogram'", "(write gauge or counter)"),
    (query(labels="[n]"), "5:", "error[SLO006]: the column n is mapped twice", "(map each column to one"),
    (
        query(labels="[region]"),
        "5:",
        "error[SLO011]: a label may not be called region",
        "(write … AS region_name in SQL)",
    ),
    (query(labels="[a-b]"), "5:", "error[SLO011]: 'a-b' is no name of a label", "(name the column so in the query"),
    (query(name="A query"), "5:", "error[SLO011]: 'A query' is no name of a query", "(write a_query)"),
    (query(timeout="5"), "5:", "error[SLO014]: 5 has no unit", "(add one: 5s)"),
    (query(row_limit="0"), "5:", "error[SLO006]: row_limit is 0", ""),
    (
        query(sql="DELETE FROM t"),
        "5:",
        "error[SLO006]: the statement begins with DELETE",
        "(only SELECT, and WITH … SELECT, are run)",
    ),
    (query(sql="SELECT 1 AS n; DROP TABLE t"), "5:", "there are 2 statements", "(write one)"),
    (
        f"{SHOP}queries: [{{{QUERY}}}, {{{QUERY}}}]}}\n",
        "5:",
        "error[SLO015]: two queries are called q",
        "(give each a name",
    ),
    (
        f"{SHOP}queries: [{{{QUERY}}}, {{{QUERY}}}]}}\n",
        "5:",
        "error[SLO015]: m_orders is in q already",
        "(write another",
    ),
    (
        f"{SHOP}rows: [{{table: orders, counted: estimated}}]}}\n",
        "5:",
        "SQLite has no estimate",
        "(write counted: exact)",
    ),
    (f"{SHOP}rows: [{{table: a.b}}, {{table: A_B}}]}}\n", "5:", "A_B is named in rows[0] already", "(remove one)"),
    (f"{SHOP}rows: [{{table: a.b.c}}]}}\n", "5:", "error[SLO006]: 'a.b.c' is no table", "(write it as the database"),
    (f"{SHOP}etl: [{{table: a, pipeline: b, stage: c}}]}}\n", "5:", "no column that is counted", "(write rows_in"),
    (f"{SHOP}postgresql: {{connections: true}}}}\n", "5:", "sqlite has no such parts", "(leave postgresql out)"),
    (f"{SHOP}host: a, rows: [{{table: a}}]}}\n", "5:", "SQLite has no host", "(leave it out)"),
    (f"{SHOP}port: 1}}\n", "5:", "the target has nothing to ask", "(write queries, freshness, rows or etl)"),
    ("      shop: {dialect: sqlite, rows: [{table: a}]}\n", "5:", "an SQLite target has no file", "(write file: "),
    (
        "      shop: {dialect: mysql, rows: [{table: a}]}\n",
        "5:",
        "a mysql target has no host",
        "(write host: 127.0.0.1)",
    ),
    ("      shop: {dialect: mariadb, rows: [{table: a}]}\n", "5:", "'mariadb' is no database", "(write mysql)"),
    (
        f"{POSTGRESQL}rows: [{{table: a}}], ca_file: c}}\n",
        "5:",
        "ca_file is for tls: verified",
        "(write tls: verified)",
    ),
    (f"{POSTGRESQL}rows: [{{table: a}}], file: c}}\n", "5:", "postgresql has no file", "(write host and database)"),
    (f"{POSTGRESQL}rows: [{{table: a}}], password: c}}\n", "5:", "password is no key", "(did you mean password_file?)"),
    (
        "      shop: {dialect: mysql, host: a@b, rows: [{table: a}]}\n",
        "5:",
        "'a@b' is no host",
        "credentials belong into",
    ),
]


@pytest.mark.parametrize(("targets", "place", "what", "cure"), MISTAKES, ids=[each[2] for each in MISTAKES])
def test_a_mistake_has_place_code_and_cure(targets: str, place: str, what: str, cure: str) -> None:
    """Each mistake of a user's is one line that names the file, line and column, and what to write."""
    found = [each for each in mistakes(targets) if what in each]
    assert len(found) == 1, mistakes(targets)
    assert found[0].startswith(f"exporters.yaml:{place}")
    assert cure in found[0]


def test_a_list_with_a_wrong_item_is_not_called_too_short() -> None:
    """A mistake in the only item of a list is one mistake: the list itself is as long as it has to be."""
    assert len(mistakes(query(metric="shop_open"))) == 1


def test_mistakes_of_several_places_are_told_at_once_where_they_stand() -> None:
    """What only the whole target shows is told at the key that it is about, with all the rest of its kind."""
    targets = """\
      shop:
        dialect: sqlite
        host: 127.0.0.1
        file: shop.sqlite
        queries:
          - name: first
            sql: SELECT 1 AS n
            values: [{column: n, metric: a_orders, unit: orders, help: H}]
          - name: second
            sql: |
              DELETE FROM orders
            values:
              - {column: n, metric: a_orders, unit: orders, help: H}
"""
    assert [each.split(" error")[0] for each in mistakes(targets)] == [
        "exporters.yaml:7:15:",
        "exporters.yaml:14:18:",
        "exporters.yaml:17:37:",
    ]


def test_a_users_metric_never_collides_with_one_of_ours() -> None:
    """No ready-made family, and none of the frame's, begins as every metric of a query does."""
    names = [family.name for family in ALL]
    assert len(set(names)) == len(names)
    assert not [name for name in names if name.startswith(QUERY_PREFIX)]
    assert all(name.startswith("sereno_sql_") for name in names)


def test_no_client_library_is_imported_before_a_target_is_connected() -> None:
    """Whoever reads a configuration of the kind has neither SQLAlchemy nor a driver nor the parser loaded."""
    program = (
        "import sys; from sereno_exporters.kinds import load; load(['sql'])\n"
        "print(sorted({'sqlalchemy', 'psycopg', 'pymysql', 'sqlglot'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_every_key_of_the_grammar_has_an_example() -> None:
    """Messages show what to write: each required key has an example."""
    (kind,) = load(["sql"])
    assert grammar_of((kind,)).model_json_schema()
    lacking = [name for name, field in kind.settings.model_fields.items() if field.is_required() and not field.examples]
    assert lacking == []
