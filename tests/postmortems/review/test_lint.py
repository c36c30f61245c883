"""What is missing in a postmortem is found where it is, and what is complete is left in peace."""

import re
import time
from pathlib import Path

import pytest
from sereno_postmortems.questions import QUESTIONS
from sereno_postmortems.review import CODES, NotReadable, Postmortem, find_postmortems, lint, read_postmortem

ANSWERS = "\n".join(f"### {question}\n\n*told:* We looked, Ana says so.\n" for question in QUESTIONS)
ACTIONS = """\
| Due Date | what is still missing | ACTION (one thing) | Owner | Kind (prevent, learn) | done |
|---|---|---|---|---|---|
| 2026-12-01 | x | limit retries \\| batches | @ana | prevent | |
| soon | | ~~write it down~~ | | | |
| | | read the log | | | 2026-11-24 |
"""
WHOLE = f"""\
# Postmortem: api

## Summary

*told:* Nobody could pay for twenty
minutes.

| | | how it is known |
|---|---|---|
| somebody acted | 14:03 | *told:* |

## Impact

Three hundred carts were lost (*told*, shop).

<!-- measured:impact 000000000000 -->
| failed | **not measured** |
<!-- /measured:impact -->

## Analysis

Answer each question.

{ANSWERS}
## Action items

{ACTIONS}
```
*told:* … in code is an example
```
"""


def codes(text: str) -> list[str]:
    """`code line:column` of every finding."""
    return [f"{one.code} {one.line}:{one.column}" for one in lint(Postmortem("x.md", text))]


def line_of(text: str, words: str) -> int:
    """Where words stand."""
    return text[: text.index(words)].count("\n") + 1


def test_a_whole_postmortem_has_no_findings() -> None:
    """Answers over several lines, reordered and further columns, done and struck items: all is well, with CRLF too."""
    assert codes(WHOLE) == []
    assert codes(WHOLE.replace("\n", "\r\n")) == []


CASES = {
    "PM002 a paragraph": (
        "*told:* Nobody could pay for twenty\nminutes.",
        "*told:* … (to be written: three sentences)",
    ),
    "PM002 a row": ("| somebody acted | 14:03 | *told:* |", "| somebody acted | | *told:* |"),
    "PM002 a choice": ("(*told*, shop)", "(*measured* · *told*, source: )"),
    "PM003 emptied": ("*told:* Nobody could pay for twenty\nminutes.", ""),
    "PM003 gone": ("## Summary", "## In short"),
    "PM004 emptied": ("Three hundred carts were lost (*told*, shop).", ""),
    "PM005 banner": ("# Postmortem: api\n", "# Postmortem: api\n\n> **Draft**, written by `sereno`\n"),
    "PM006 gone": (f"### {QUESTIONS[1]}", "### Why, then"),
    "PM006 emptied": (
        ANSWERS,
        ANSWERS.replace("*told:* We looked, Ana says so.", "- hint: 3 failed · *measured* [P1](#p1)", 1),
    ),
    "PM007 nothing": (ACTIONS, "| action | owner |\n|---|---|\n| | |\n"),
    "PM008 column": ("| Owner |", "| Chief |"),
    "PM008 action": ("limit retries \\| batches", "…"),
    "PM009 nobody": ("@ana", "?"),
    "PM010 no date": ("| 2026-12-01 |", "| |"),
    "PM011 no such day": ("| 2026-12-01 |", "| 2026-13-45 |"),
    "PM011 words": ("| 2026-12-01 |", "| next week |"),
    "PM011 done": ("| 2026-11-24 |", "| yes! |"),
    "PM012 unknown": ("| prevent | |", "| detect | |"),
    "PM012 none": ("| prevent | |", "| | |"),
    "PM013 half": ("<!-- /measured:impact -->", ""),
    "PM014 open": ("| failed | **not measured** |", "| resolved | **still open**; figures | x |"),
}


ALSO = {"PM007 nothing": {"PM008"}, "PM011 done": {"PM009", "PM010", "PM012"}}
"""What else is then missing."""


@pytest.mark.parametrize("case", CASES)
def test_each_finding_has_its_place_and_its_cure(case: str) -> None:
    """One mistake in a whole postmortem is found with its code, at its line, with what to write instead."""
    before, after = CASES[case]
    assert WHOLE.count(before) == 1
    text = WHOLE.replace(before, after)
    found = [one for one in lint(Postmortem("a/x.md", text)) if one.code == case.split(maxsplit=1)[0]]
    assert found, codes(text)
    assert {one.code for one in lint(Postmortem("a/x.md", text))} == {found[0].code, *ALSO.get(case, ())}
    assert re.fullmatch(r"a/x\.md:\d+:\d+: error\[PM0\d\d\]: .+ \(.+\)", str(found[0]))
    assert abs(found[0].line - line_of(WHOLE, before)) <= 2 or "gone" in case


def test_every_code_has_a_case_and_a_row_in_the_documentation() -> None:
    """Codes are a promise: each is shown by a case, and docs/postmortems.md says what to do."""
    assert {case.split()[0] for case in CASES} | {"PM001"} == set(CODES)
    text = (Path(__file__).resolve().parents[3] / "docs/postmortems.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (PM\d+) \| [^|]+ \| [^|]+ \|$", text, re.MULTILINE)
    assert [code for code in rows if code in CODES] == sorted(CODES)


def test_the_place_of_a_told_cell_is_exact() -> None:
    """Line and column point at the very mark."""
    text = "| a | b |\n|---|---|\n| who acted | *told:* |\n"
    (found,) = (one for one in lint(Postmortem("x.md", text)) if one.code == "PM002")
    assert (found.line, found.column, found.message) == (3, 15, "nobody has answered: who acted")


def test_files_that_are_no_text_are_told(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are a finding with their line; README and templates are skipped, hidden files too."""
    for name in ("README.md", "postmortem-template.md", ".hidden.md", "2026-a.md", "sub/2026-b.md", "x.svg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"one\n\xff\xfe\n")
    assert find_postmortems([tmp_path, tmp_path / "2026-a.md"]) == (tmp_path / "2026-a.md", tmp_path / "sub/2026-b.md")
    found = read_postmortem(tmp_path / "2026-a.md")
    assert isinstance(found, NotReadable)
    assert [f"{one.code} {one.line}" for one in lint(found)] == ["PM001 2"]


def test_terminal_escapes_in_a_file_are_shown() -> None:
    """What a file says can't steer the terminal that prints the finding."""
    text = WHOLE.replace("| 2026-12-01 |", "| \x1b[2J |")
    (found,) = lint(Postmortem("x.md", text))
    assert "\\x1b[2J" in str(found)


@pytest.mark.parametrize(
    "line", ["# a?\n", "*told:* …\n", "| a | owner |\n|---|---|\n| *told:* | |\n\n", "[" * 40 + "\n", "```\n"]
)
def test_huge_files_are_read_in_time(line: str) -> None:
    """A hundred kilobytes of anything take a moment: nothing is quadratic."""
    began = time.process_time()
    lint(Postmortem("x.md", line * (100_000 // len(line))))
    assert time.process_time() - began < 3
