"""What a query may be: one statement that reads. The database's own read-only transaction stands behind this."""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import Token
    from sqlglot.expressions import Expr

_SHOWN = 60
_BEGINNINGS = frozenset({"SELECT", "WITH", "("})
_ONLY_QUERIES = "only SELECT, and WITH … SELECT, are run"
_EXECUTED_COMMENT = re.compile(r"/\*(?:!|M!|\+)")
"""MySQL runs the first two as SQL; hints lift timeouts. Sought in strings, too: nobody has to tell them apart."""
_TEMPLATE_COMMENT = "{#"
"""The parser skips what follows, and no database does: to MySQL it is a brace, a comment to the line's end, and SQL."""


class Dialect(StrEnum):
    """The databases that are spoken to."""

    POSTGRESQL = "postgresql"
    MYSQL = "mysql"
    SQLITE = "sqlite"


_PARSERS = {Dialect.POSTGRESQL: "postgres", Dialect.MYSQL: "mysql", Dialect.SQLITE: "sqlite"}

# They change something, or reach out of the database, though a SELECT calls them; few heed a read-only transaction.
_FORBIDDEN = {
    Dialect.POSTGRESQL: re.compile(
        r"""
        dblink\w* | lo_\w+ | nextval | setval | set_config | query_to_xml\w* | pg_notify | pg_promote
        | pg_(?:terminate|cancel)_backend | pg_reload_conf | pg_rotate_logfile\w* | pg_log_\w+ | pg_export_snapshot
        | pg_(?:try_)?advisory_\w+ | pg_(?:backup|start_backup|stop_backup)\w* | pg_create_\w+ | pg_drop_\w+
        | pg_(?:switch_wal | switch_xlog | wal_replay_pause | wal_replay_resume) | pg_replication_(?:slot|origin)_\w+
        | pg_logical_(?:emit_message|slot_\w+) | pg_stat_(?:statements_)?(?:reset|clear)\w* | pg_stat_force_next_flush
        | pg_(?:read|write|ls|stat)_(?:binary_)?(?:file|dir)\w* | pg_ls_\w+ | pg_file_\w+ | pg_sync_\w+
        | pg_copy_\w+ | pg_import_system_collations | pg_prewarm | pg_truncate_\w+
        | brin_\w+ | gin_clean_pending_list | pg_nextoid
        | pg_(?:clear|restore)_\w+_stats | pg_buffercache_(?:evict|mark_dirty)\w*
        """,
        re.VERBOSE,
    ),
    Dialect.MYSQL: re.compile(
        r"sleep|benchmark|get_lock|release_(?:all_locks|lock)|load_file|sys_(?:exec|eval|set)|nextval|lastval|setval"
        r"|(?:source|master)_(?:pos|gtid)_wait|wait_for_executed_gtid_set|\w*_udf_\w+|last_insert_id"
    ),
    Dialect.SQLITE: re.compile(r"load_extension|readfile|writefile|edit|fts3_tokenizer"),
}


@dataclass(frozen=True, slots=True)
class Unsafe:
    """Why a text is no query that only reads, and what to write."""

    message: str
    hint: str


def reads_only(sql: str, dialect: Dialect) -> str | Unsafe:
    """The statement without a semicolon at its end, ready to stand in parentheses; or why it may not run.

    Nothing is written anew: the database gets the text that was looked at.
    """
    import sqlglot  # noqa: PLC0415 - whoever lists exporters doesn't pay for a parser
    from sqlglot import exp  # noqa: PLC0415
    from sqlglot.errors import ParseError, SqlglotError  # noqa: PLC0415

    if (trouble := _in_comments(sql)) is not None:
        return trouble
    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of what is refused below anyway
    parser = _PARSERS[dialect]
    try:
        tokens = sqlglot.tokenize(sql, dialect=parser)
        if tokens and tokens[0].text.upper() not in _BEGINNINGS:
            return Unsafe(f"the statement begins with {_short(tokens[0].text)}", _ONLY_QUERIES)
        parsed = sqlglot.parse(sql, dialect=parser)
    except ParseError as error:
        where = "line {line}, column {col}, near {highlight!r}".format_map(error.errors[0])
        return Unsafe(f"the statement can't be read as {dialect} SQL: {where}", "write one SELECT")
    except (SqlglotError, RecursionError):
        return Unsafe(f"the statement can't be read as {dialect} SQL", "write one SELECT")
    statements = [each for each in parsed if each is not None and not isinstance(each, exp.Semicolon)]
    if len(statements) != 1 or any(token.token_type.name == "SEMICOLON" for token in tokens[: _length(tokens)]):
        return Unsafe(f"there are {len(statements)} statements" if statements else "there is no statement", "write one")
    troubles = chain(_in_tree(statements[0]), _in_tokens(tokens, dialect))
    return next(troubles, _without_last_semicolon(sql, tokens))


def _in_comments(sql: str) -> Unsafe | None:
    """What is a comment to one of parser and database only."""
    if found := _EXECUTED_COMMENT.search(sql):
        return Unsafe(f"the database would execute the comment that begins with {found[0]}", "leave it out")
    if _TEMPLATE_COMMENT in sql:
        return Unsafe(f"{_TEMPLATE_COMMENT} is no comment to a database", "write comments as /* … */")
    return None


def _in_tree(statement: "Expr") -> Iterator[Unsafe]:
    """What is no query where only queries may be, and what a query does beside reading."""
    from sqlglot import exp  # noqa: PLC0415

    if not _is_query(statement):
        yield Unsafe(f"the statement is {statement.key.upper()}", _ONLY_QUERIES)
    for node in statement.walk():
        match node:
            case exp.Into():
                yield Unsafe("SELECT … INTO writes", "leave INTO out")
            case exp.Lock():
                yield Unsafe("FOR UPDATE and FOR SHARE lock rows", "leave them out")
            case exp.CTE() if not _is_query(node.this):
                yield Unsafe(f"WITH contains {node.this.key.upper()}", "only SELECT is run")
            case exp.DML() | exp.DDL() | exp.Command() | exp.Pragma() | exp.Set() | exp.Drop() | exp.Alter():
                yield Unsafe(f"the statement contains {node.key.upper()}", "only SELECT is run")


def _is_query(node: "Expr") -> bool:
    from sqlglot import exp  # noqa: PLC0415

    while isinstance(node, exp.Subquery):
        node = node.this
    return isinstance(node, exp.Select | exp.SetOperation)


def _in_tokens(tokens: "list[Token]", dialect: Dialect) -> Iterator[Unsafe]:
    """Functions by the words themselves: the parser knows some of them under other names, and quoted ones, too."""
    for token, following in pairwise(tokens):
        if token.token_type.name == "STRING" or following.text != "(":
            continue
        if "\\" in token.text:
            yield Unsafe(f"the name {_short(token.text)} is written with escapes", "write it as it is")
        if _FORBIDDEN[dialect].fullmatch(token.text.lower().strip('"`[]')):
            yield Unsafe(f"the function {_short(token.text)} does more than to read", "leave it out")


def _length(tokens: "list[Token]") -> int:
    """How many there are before the semicolons at the end."""
    length = len(tokens)
    while length and tokens[length - 1].token_type.name == "SEMICOLON":
        length -= 1
    return length


def _without_last_semicolon(sql: str, tokens: "list[Token]") -> str:
    length = _length(tokens)
    return (sql if length == len(tokens) else sql[: tokens[length].start]).strip()


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
