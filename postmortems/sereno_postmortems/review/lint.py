"""Whether a postmortem is complete: every place told, every action with owner, date and kind."""

import re
from collections.abc import Callable, Iterator, Sequence

from sereno_postmortems.questions import QUESTIONS
from sereno_postmortems.review.action_items import NOTHING, ActionItem, ActionTable, action_tables, day, kinds_of
from sereno_postmortems.review.files import NotReadable, Postmortem
from sereno_postmortems.review.findings import Finding
from sereno_postmortems.review.sections import Outline, Section, outline
from sereno_postmortems.review.told import is_open, lines_in, unanswered, words_of
from sereno_postmortems.tables import Cell, Table, lines_of, tables

_BANNER = re.compile(r"> \*\*Draft\*\*")
_STILL_OPEN = re.compile(r"\| resolved \| \*\*still open\*\*")
_ISO = "write it as 2026-12-01"


def lint(postmortem: Postmortem | NotReadable, *, questions: Sequence[str] = QUESTIONS) -> tuple[Finding, ...]:
    """Everything that is missing, in reading order; `questions` are those that must be there."""
    path = postmortem.path
    if isinstance(postmortem, NotReadable):
        return (Finding(path, postmortem.line, 1, "PM001", postmortem.reason, postmortem.cure),)
    document, found = outline(postmortem.text), tables(postmortem.text)
    findings = list(unanswered(path, document, found))
    open_lines = {finding.line for finding in findings}
    findings += _sections(path, document, lines_in(found), questions, open_lines)
    findings += _draft_left(path, postmortem.text)
    findings += _marks(path, document)
    findings += _actions(path, document, found)
    return tuple(sorted(findings))


def _sections(
    path: str, document: Outline, in_tables: frozenset[int], questions: Sequence[str], open_lines: set[int]
) -> Iterator[Finding]:
    for title, code, cure in (
        ("Summary", "PM003", "write below `## Summary` in three sentences what users felt, why, and what ended it"),
        ("Impact", "PM004", "write below `## Impact` what users, partners and the business felt, with numbers"),
    ):
        section = document.titled(title)
        if section is None or _is_silent(section, in_tables, open_lines):
            yield Finding(path, section.line if section else 1, 1, code, f"there is no {title.lower()}", cure)
    asked = {title: document.titled(title) for title in questions}
    for title, section in asked.items():
        if section is None:
            cure = f"write `### {title}` below `## Analysis`, and its answer"
            yield Finding(path, 1, 1, "PM006", f"the question is missing: {title}", cure)
    for section in document.sections:
        if _is_question(section) and _is_silent(section, in_tables, open_lines):
            cure = 'answer it below its heading; "not known" is an answer and becomes an action item'
            yield Finding(path, section.line, 1, "PM006", f"the question has no answer: {section.title}", cure)


def _is_question(section: Section) -> bool:
    """What ends with a question mark; within the analysis everything asks."""
    return section.title.endswith("?") or "analysis" in {title.casefold() for title in section.parents[-1:]}


def _is_silent(section: Section, in_tables: frozenset[int], open_lines: set[int]) -> bool:
    """Whether people say nothing in it, and no told place of it was found open already."""
    if any(line.number in open_lines for line in section.lines):
        return False
    return is_open(words_of(section, in_tables))


def _draft_left(path: str, text: str) -> Iterator[Finding]:
    for number, line in enumerate(lines_of(text), 1):
        if _BANNER.match(line):
            cure = "take the quoted lines out when people have written and reviewed it"
            yield Finding(path, number, 1, "PM005", "it still says that it is a draft", cure)
        elif _STILL_OPEN.match(line):
            cure = "`sereno postmortem draft ID --update` renews what was measured and keeps what people wrote"
            yield Finding(path, number, 1, "PM014", "its figures are from while the incident was open", cure)


def _marks(path: str, document: Outline) -> Iterator[Finding]:
    for number in document.broken_marks:
        cure = "put the other mark back, or take this line out: what it marked is kept as people's words"
        yield Finding(path, number, 1, "PM013", "the mark of a measured block has lost its counterpart", cure)


def _actions(path: str, document: Outline, found: tuple[Table, ...]) -> Iterator[Finding]:
    lists = tuple(action_tables(found))
    if not any(table.items for table in lists):
        section = document.titled("Action items", "Actions")
        cure = "write a row each into a table `| action | kind | owner | due | done |` below `## Action items`"
        yield Finding(path, section.line if section else 1, 1, "PM007", "there are no action items", cure)
    for table in lists:
        for name in table.missing:
            cure = f"write a column `{name}`"
            yield Finding(path, table.table.header.line, 1, "PM008", f"the action items have no column {name}", cure)
        for item in table.items:
            yield from _item(path, item, table)


def _item(path: str, item: ActionItem, table: ActionTable) -> Iterator[Finding]:
    def missing(cell: Cell | None, code: str, message: str, cure: str) -> Finding:
        line, column = (item.row.line, 1) if cell is None else (cell.line, cell.column)
        return Finding(path, line, column, code, message, cure)

    if is_open(item.action.text):
        yield missing(
            item.action, "PM008", "an action item says not what to do", "write the action, or take the row out"
        )
    if item.is_done_unclear and item.done is not None:
        yield missing(
            item.done, "PM011", f"done: {item.done.text!r} is no date", f"{_ISO}, the day on which it was done"
        )
    if item.is_done:
        return
    if "owner" not in table.missing and not item.owners:
        yield missing(item.owner, "PM009", "an action item has no owner", "write one person's or team's name")
    if "due" not in table.missing and (item.due is None or not item.due.text.strip(NOTHING)):
        yield missing(item.due, "PM010", "an action item has no due date", _ISO)
    elif item.due is not None and day(item.due.text) is None:
        yield missing(item.due, "PM011", f"due: {item.due.text!r} is no date", _ISO)
    if "kind" not in table.missing:
        yield from _kind(missing, item, table)


def _kind(
    missing: Callable[[Cell | None, str, str, str], Finding], item: ActionItem, table: ActionTable
) -> Iterator[Finding]:
    kinds = () if item.kind is None else kinds_of(item.kind)
    cure = (
        f"write {', '.join(table.kinds[:-1])} or {table.kinds[-1]}"
        if len(table.kinds) > 1
        else f"write {table.kinds[0]}"
    )
    if not kinds:
        yield missing(item.kind, "PM012", "an action item has no kind", cure)
    for kind in kinds:
        if kind not in table.kinds:
            yield missing(item.kind, "PM012", f"{kind!r} is no kind of action", cure)
