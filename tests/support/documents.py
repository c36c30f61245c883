"""The documentation's commands: what a page tells people to type, and the files that it tells them to write."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHELLS = {"sh", "bash", "console", "shell"}
SHOWN = {"", "text"}
"""Blocks of these show output too: of them only lines count that begin with a prompt or one of our programs."""
PROMPT = "$ "
PROGRAMS = re.compile(
    r"(sereno|make|python -m|promtool|amtool|scripts/|kubectl|helm|docker|curl|pip)(\s+[\w./<-]|\w)|export [A-Z_]+="
)
BLOCK = re.compile(r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^|\n)\n?((?:    [^\n]*\n)+)")
NAMED = re.compile(r"# (?P<name>[\w./-]+\.(?:ya?ml|json|py))\b")


@dataclass(frozen=True)
class Statement:
    """One command line as it stands on a page, continuation lines joined to it by their line feeds."""

    page: str
    """Path in the repository."""
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"


def pages() -> list[str]:
    """Every page of Markdown that tells people something to type."""
    found = {
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "runbooks").rglob("*.md"),
        *(path for folder in FOLDERS for path in (ROOT / folder).rglob("README.md")),
    }
    return sorted(path.relative_to(ROOT).as_posix() for path in found if path.name != "CHANGELOG.md")


FOLDERS = ("alerting", "collectors", "dashboards", "deploy", "exporters", "helm", "postmortems", "slo", "systems")


def statements(page: str) -> list[Statement]:
    """What the page tells people to type, in its order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found: list[Statement] = []
    for block in BLOCK.finditer(text):
        line = text.count("\n", 0, block.start("text")) + 1
        found += _of_block(page, line, _dedented(block["text"], block["indent"]), block["language"])
    outside = BLOCK.sub(lambda block: "\n" * block.group().count("\n"), text)
    for shown in INDENTED.finditer(outside):
        line = outside.count("\n", 0, shown.start(1)) + 1
        found += _of_block(page, line, _dedented(shown[1], "    "), "")
    return sorted(found, key=lambda statement: statement.line)


def named_files(page: str) -> dict[str, str]:
    """Files that the page shows whole: blocks that begin with a comment of their name."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = (
        _dedented(block["text"], block["indent"])
        for block in BLOCK.finditer(text)
        if block["language"] in {"yaml", "python"}
    )
    return {named["name"]: block for block in blocks if (named := NAMED.match(block))}


def _of_block(page: str, line: int, text: str, language: str) -> Iterator[Statement]:
    if language not in SHELLS | SHOWN:
        return
    pending: list[str] = []
    for number, written in enumerate(text.splitlines(), line):
        shown = written.removeprefix(PROMPT)
        is_told = language in SHELLS or shown is not written or PROGRAMS.match(shown) is not None
        if not pending and (not is_told or not shown.strip() or shown.lstrip().startswith("#")):
            continue
        pending.append(shown)
        if is_whole("\n".join(pending)):
            yield Statement(page, number - len(pending) + 1, "\n".join(pending).strip())
            pending = []
    if pending:
        yield Statement(page, line, "\n".join(pending).strip())


def is_whole(text: str) -> bool:
    """Whether a shell would begin to work: quotes are closed, and the last line doesn't go on."""
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return False
    return re.search(r"(\\|\||&&)\s*$", text) is None


def _dedented(text: str, indent: str) -> str:
    return "".join(line.removeprefix(indent) for line in text.splitlines(keepends=True))
