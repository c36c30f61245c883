"""Action items as people write them: rows of a table that has a column `action`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sereno_postmortems.tables import Cell, Row, Table, cell_at, plain

ACTION = ("action", "action item", "what")
KIND = ("kind", "type")
OWNER = ("owner", "who", "assignee")
DUE = ("due", "due date", "until", "by when")
DONE = ("done", "done on", "status", "state")

DONE_WORDS = frozenset({"done", "done on", "closed", "finished", "dropped", "rejected", "wontfix", "won't do"})
NOT_DONE_WORDS = frozenset({"", "no", "open", "todo", "to do", "in progress", "doing", "planned"})
NOTHING = " …-?\u2013\u2014"
"""What people write into a cell of which they know nothing; two of them are dashes."""

DEFAULT_KINDS = ("prevent", "detect", "mitigate", "learn")

_DATE = re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b")
_STRUCK = re.compile(r"~~.+~~", re.DOTALL)
_BRACKETS = re.compile(r"\(([^()]*)\)")
_SEPARATORS = re.compile(r"\s*(?:[,;/·|+&]|\band\b)\s*")


@dataclass(frozen=True, slots=True)
class ActionItem:
    """One row; cells are None where the table or the row has no such column."""

    row: Row
    action: Cell
    kind: Cell | None
    owner: Cell | None
    due: Cell | None
    done: Cell | None

    @property
    def due_on(self) -> date | None:
        """None where there is no date, or none that exists."""
        return None if self.due is None else day(self.due.text)

    @property
    def owners(self) -> tuple[str, ...]:
        """Several may be named; without @."""
        names = _SEPARATORS.split("" if self.owner is None else self.owner.text)
        return tuple(name.removeprefix("@").strip() for name in names if name.strip(f"@{NOTHING}"))

    @property
    def is_done(self) -> bool:
        """Struck through, a date in the column `done`, or a word such as `done` in it (also with a date)."""
        if _STRUCK.fullmatch(self.action.raw):
            return True
        told = "" if self.done is None else self.done.text
        words = _without_date(told)
        return words in DONE_WORDS or (not words and day(told) is not None)

    @property
    def is_done_unclear(self) -> bool:
        """Whether the column says something that is neither a date nor a known word: such an item counts as open."""
        told = "" if self.done is None else self.done.text
        return not self.is_done and _without_date(told) not in NOT_DONE_WORDS


@dataclass(frozen=True, slots=True)
class ActionTable:
    """One table of action items."""

    table: Table
    items: tuple[ActionItem, ...]
    kinds: tuple[str, ...]
    """Those that the column's title names in brackets, else the usual ones."""
    missing: tuple[str, ...]
    """Columns that it should have and hasn't."""


def action_tables(found: tuple[Table, ...]) -> Iterator[ActionTable]:
    """The tables that have a column for actions, and one for owners or due dates."""
    for table in found:
        action, kind, owner, due, done = (table.column(*names) for names in (ACTION, KIND, OWNER, DUE, DONE))
        if action is None or (owner is None and due is None):
            continue
        columns = {"kind": kind, "owner": owner, "due": due}
        yield ActionTable(
            table,
            tuple(
                ActionItem(
                    row,
                    cell_at(row, action) or Cell("", row.line, 1),
                    *(cell_at(row, column) for column in (kind, owner, due, done)),
                )
                for row in table.rows
                if any(cell.raw.strip(" …") for cell in row.cells)
            ),
            _kinds(table, kind),
            tuple(name for name, column in columns.items() if column is None),
        )


def kinds_of(cell: Cell) -> tuple[str, ...]:
    """A cell may name several."""
    return tuple(kind for kind in _SEPARATORS.split(cell.text.casefold()) if kind.strip(NOTHING))


def day(text: str) -> date | None:
    """The date in a text such as `2026-12-01` or `done 2026-12-01`; None if it has none, or one that doesn't exist."""
    found = _DATE.search(text)
    try:
        return date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None


def _kinds(table: Table, column: int | None) -> tuple[str, ...]:
    title = "" if column is None else plain(table.header.cells[column].raw)
    named = _BRACKETS.search(title)
    kinds = kinds_of(Cell(named[1], 1, 1)) if named else ()
    return kinds or DEFAULT_KINDS


def _without_date(text: str) -> str:
    return _DATE.sub("", text).strip(f" ,:(){NOTHING}").casefold()
