"""Tables as people write them are read as readers see them."""

from hypothesis import given, settings
from hypothesis import strategies as st
from sereno_postmortems.tables import Table, cell_at, tables


def only(text: str) -> Table:
    """The one table of a text."""
    (table,) = tables(text)
    return table


def test_cells_have_their_place_and_their_escapes_are_undone() -> None:
    """An escaped pipe is text, line and column point at the cell's first character, CRLF is no text."""
    table = only(
        "x\n\n| a | due date (UTC) |\r\n|:--|--:|\r\n| one \\| two | **2026-12-01** |\r\n|  |\r\nafter | it\r\n"
        "\r\n| no |"
    )
    first, second, third = table.rows
    assert [cell.text for cell in first.cells] == ["one | two", "2026-12-01"]
    assert (first.cells[1].line, first.cells[1].column) == (5, 16)
    assert [cell.raw for cell in second.cells] == [""]
    assert [cell.text for cell in third.cells] == ["after", "it"]
    assert (table.column("due", "due date"), table.column("owner")) == (1, None)
    assert cell_at(second, 1) is None


def test_what_is_no_table_is_none() -> None:
    """Code, a header with another number of cells, and a delimiter without header are no tables."""
    for text in (
        "```\n| a | b |\n|---|---|\n```\n",
        "| a | b |\n|---|\n",
        "\n|---|\n",
        "a\n---\n",
        "    | a |\n    |---|\n",
    ):
        assert tables(text) == ()


def test_without_outer_pipes_it_is_a_table_too() -> None:
    """Outer pipes may be left out, and columns may have any order and number."""
    table = only("due | what | x\n--- | --- | ---\n2026-12-01 | mend it\n")
    assert [cell.text for cell in table.rows[0].cells] == ["2026-12-01", "mend it"]


@settings(max_examples=150)
@given(st.text("|\\-: ~`ab\n\r#<>*", max_size=60), st.text("|\\- a\n", max_size=30))
def test_any_text_is_read(before: str, after: str) -> None:
    """Nothing that people write ends the reading, and every cell lies where it says."""
    text = f"{before}\n| a | b |\n|---|---|\n{after}"
    lines = text.split("\n")
    for table in tables(text):
        for row in (table.header, *table.rows):
            for cell in row.cells:
                assert lines[cell.line - 1].removesuffix("\r")[cell.column - 1 :].startswith(cell.raw)
