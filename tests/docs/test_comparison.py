"""The comparison's figures are those of the pages that it cites."""

import re

import pytest
from support.documents import ROOT

PAGE = ROOT / "docs/comparison.md"
CITES = re.compile(r"\[[^]]*\]\((?P<page>[\w./-]+\.md)[^)]*\) \|$")
MINUS = "\N{MINUS SIGN}"
FIGURE = re.compile(rf"(?<![\w.])[{MINUS}+]?\d+(?:,\d{{3}})*(?:\.\d+)?")
ROWS = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if CITES.search(line)]


def test_there_are_rows() -> None:
    """The pattern finds them: all tables of figures cite."""
    assert len(ROWS) > 30


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_a_figure_stands_on_the_page_that_is_cited(row: str) -> None:
    """Whoever measures anew and writes down other figures is led here."""
    cited = CITES.search(row)
    assert cited
    there = (PAGE.parent / cited["page"]).read_text(encoding="utf-8")
    figures = FIGURE.findall(row[: cited.start()].split("|", 2)[2].replace("--seed 7", ""))
    known = set(FIGURE.findall(there))
    signed = {figure.lstrip(f"{MINUS}+") for figure in known}
    assert [figure for figure in figures if figure not in known and figure not in signed] == []
