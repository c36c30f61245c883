"""A plan for a comment of a pull or merge request.

Values of specs stand in code spans, where neither HTML nor mentions nor Markdown mean anything.
"""

import re
from collections.abc import Iterator

from sereno_slo.changes import telling
from sereno_slo.changes.comparing import Comparison, SloChange
from sereno_slo.diagnostics import on_one_line

MARK = "<!-- sereno plan -->"
"""The first line: by it the comment is found again and updated."""
MOST_BYTES = 65_536
"""What GitHub takes as a comment are so many characters; GitLab takes a million."""
_MOST_RULES = 50
_SPARE_BYTES = 300
"""For what is said of that which is left out."""


def as_markdown(comparison: Comparison, against: str) -> str:
    """A summary, a table of SLOs, and folded details; what doesn't fit in is left out from the end, and told."""
    head = "\n".join(_head(comparison, against))
    own = [change for change in comparison.changes if not change.is_by_defaults]
    rows = [_row(change, telling.days_replayed(comparison)) for change in own]
    details = ["\n".join(_details(change, telling.days_replayed(comparison))) for change in own]
    tail = "\n".join(_tail(comparison))
    room = MOST_BYTES - _size(head) - _size(tail) - _SPARE_BYTES
    if inhibitions := "\n".join(_inhibitions(comparison)):
        details.insert(0, inhibitions)
    rows, left_out = _fitting(rows, room)
    details, untold = _fitting(details, room - sum(map(_size, rows)))
    blocks = [head + "".join(f"\n{row}" for row in rows)]
    if left_out:
        blocks.append(f"{left_out:,} SLOs more don't fit into a comment: `sereno plan` prints all of them.")
    blocks += details
    if untold:
        blocks.append(f"Details of {untold:,} SLOs don't fit into a comment: `sereno plan` prints all of them.")
    return "\n\n".join([*blocks, *([tail] if tail else [])]) + "\n"


def _size(text: str) -> int:
    """With the line feeds that follow it."""
    return len(text.encode()) + 2


def _fitting(parts: list[str], room: int) -> tuple[list[str], int]:
    """The first ones that fit, and how many don't."""
    for kept, part in enumerate(parts):
        room -= _size(part)
        if room < 0:
            return parts[:kept], len(parts) - kept
    return parts, 0


def _head(comparison: Comparison, against: str) -> Iterator[str]:
    yield from (MARK, f"**sereno plan** against {code(against)}: {telling.headline(comparison)}", "")
    for change in comparison.defaults:
        yield f"- sereno.yaml, {change.key}: {code(change.before)} → {code(change.after)}"
    for change in comparison.gates:
        yield f"- gate of {code(change.key)}: {code(change.before)} → {code(change.after)}"
    if comparison.defaults or comparison.gates:
        yield ""
    days = telling.days_replayed(comparison)
    if any(not change.is_by_defaults for change in comparison.changes):
        replayed = () if days is None else (f"budget left after {days:.10g} days", "pages", "tickets")
        headings = ("SLO", "what", "rules", "recorded series", "samples read a minute", *replayed)
        yield f"| {' | '.join(headings)} |"
        yield f"|{'---|' * len(headings)}"


def _row(change: SloChange, days: float | None) -> str:
    what = [f"{setting.key} {code(setting.before)} → {code(setting.after)}" for setting in change.settings]
    replayed = () if days is None else (telling.budget(change), telling.pages(change), telling.tickets(change))
    cells = (
        f"{code(change.name)}{' (a journey)' if change.is_journey else ''}",
        "<br>".join(what) if what else str(change.status),
        telling.rules_in_short(change),
        _short(change, telling.recorded(change)),
        _short(change, telling.samples_read(change)),
        *replayed,
    )
    return f"| {' | '.join(_cell(str(cell)) for cell in cells)} |"


def _short(change: SloChange, pair: telling.Pair) -> str:
    """A formula that stays the same needs no place in a table."""
    is_formula = change.after is not None and change.after.counts is None
    return "unchanged" if is_formula and pair.before == pair.after else str(pair)


def _details(change: SloChange, days: float | None) -> Iterator[str]:
    yield from (f"<details><summary>{telling.title(change)}</summary>", "")
    for note in change.notes:
        yield f"- {note}"
    if counted := telling.raw_series(change):
        yield f"- Raw series: {counted}"
    if telling.is_unknown(change):
        yield f"- Budget, pages, tickets: {telling.NOT_REPLAYED}"
    if coverage := telling.coverage(change):
        yield f"- In the last {days or 0:.10g} days {coverage}"
    yield f"- Samples a minute: read {telling.samples_read(change)}; written {telling.samples_written(change)}"
    yield from _diff(list(telling.rule_lines(change)))
    yield from ("", "</details>")


def _inhibitions(comparison: Comparison) -> Iterator[str]:
    if comparison.inhibitions:
        count = f"{len(comparison.inhibitions):,}"
        yield from (f"<details><summary>Alertmanager: {count} inhibitions change</summary>", "")
        yield f"- {telling.INHIBITION}"
        yield from _diff([telling.inhibition(change) for change in comparison.inhibitions])
        yield from ("", "</details>")


def _diff(lines: list[str]) -> Iterator[str]:
    if lines:
        fence = _longer_than(lines, "```")
        shown = lines[:_MOST_RULES]
        more = [f"and {len(lines) - _MOST_RULES:,} more"] if len(lines) > _MOST_RULES else []
        yield from ("", f"{fence}diff", *map(_diff_line, (*shown, *more)), fence)


def _diff_line(line: str) -> str:
    """`!` is what GitHub and GitLab colour as a change."""
    return on_one_line(line.replace("~", "!", 1) if line.startswith("~") else line)


def _tail(comparison: Comparison) -> Iterator[str]:
    by_defaults = sum(change.is_by_defaults for change in comparison.changes)
    if by_defaults:
        yield f"Rules of {by_defaults:,} SLOs change by sereno.yaml alone."
    if comparison.changes:
        yield f"<sub>{telling.ASSUMPTIONS}</sub>"


def code(text: str) -> str:
    """A code span that holds any text: fences are longer than the longest run of backticks in it."""
    line = on_one_line(" ".join(text.split())) or " "
    fence = _longer_than([line], "`")
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def _longer_than(lines: list[str], least: str) -> str:
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    return "`" * max(len(least), longest + 1)


def _cell(text: str) -> str:
    """Also within code, a bare `|` would begin the next cell."""
    return text.replace("|", "\\|")
