"""Whatever a value holds, the draft shows its text and nothing of it is markup."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from sereno_postmortems.draft.markdown import LONGEST_TEXT, Markdown, address, escaped

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])

MARKUP = {"html_inline", "html_block", "link_open", "image", "code_inline", "em_open", "strong_open", "s_open"}

PRINTABLE = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=60)
MARKS = st.text("`*_[](){}<>|\\!#~$&;:/-+=.1 aw@\"'", max_size=40)


def tokens(text: str) -> list[Token]:
    """Every token of a rendered text, the inline ones included."""
    return [token for block in READER.parse(text) for token in [block, *(block.children or [])]]


def shown(text: str) -> str:
    """What a reader sees of a text."""
    return "".join(token.content for token in tokens(text) if token.type == "text")


def kinds(text: str) -> set[str]:
    """The kinds of tokens in a text."""
    return {token.type for token in tokens(text)}


@given(PRINTABLE | MARKS)
@example("<script>alert(1)</script>")
@example("[click](javascript:alert(1))")
@example("![x](http://evil.invalid/x.png)")
@example("<http://evil.invalid>")
@example("`code` **bold** __bold__ ~~gone~~ $x$")
@example("- item")
@example("1. item")
@example("&lt;b&gt; &#60;b&#62;")
@example("\\<b\\>")
def test_a_value_in_a_paragraph_is_only_its_text(value: str) -> None:
    """In a paragraph a value becomes text tokens with exactly its characters."""
    text = f"before {escaped(value)} after"
    assert kinds(text) <= {"paragraph_open", "inline", "text", "text_special", "paragraph_close"}
    assert squeezed(shown(text)) == squeezed(f"before {value} after")


@given(PRINTABLE | MARKS)
@example("| a | b |")
@example("a\\|b")
def test_a_value_in_a_table_cell_stays_in_its_cell(value: str) -> None:
    """In a table a value can't make cells, rows or markup."""
    text = f"| a | b |\n|---|---|\n| {escaped(value)} | end |\n"
    assert [token.type for token in tokens(text)].count("td_open") == 2
    assert "end" in shown(text)
    assert not kinds(text) & {
        "html_inline",
        "html_block",
        "link_open",
        "image",
        "code_inline",
        "em_open",
        "strong_open",
    }


@given(MARKS)
def test_a_value_at_the_beginning_of_a_line_opens_no_block(value: str) -> None:
    """A value that a line begins with opens no list, heading, quote, rule or code."""
    first_word = value.lstrip()
    text = f"{escaped(first_word)} x"
    assert kinds(text) <= {"paragraph_open", "inline", "text", "text_special", "paragraph_close"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("two\nlines\r\nthree", "two ↵ lines ↵ three"),
        ("a\x00b\x1b[31m", "a(U+0000)b(U+001B)\\[31m"),
        ("evil\u202etxt.exe", "evil(U+202E)txt.exe"),
        ("see https://evil.invalid", "see https:&#47;&#47;evil.invalid"),
        ("see www.evil.invalid", "see www&#46;evil.invalid"),
        ("snake_case and _x_", "snake_case and \\_x\\_"),
        ("9.58 %", "9.58 %"),
        ("-3", "-3"),
    ],
)
def test_what_readers_would_act_on_is_defused(value: str, expected: str) -> None:
    """Line breaks, invisible characters, addresses and emphasis are shown; ordinary words and numbers stay."""
    assert escaped(value) == expected


def test_a_very_long_value_is_cut_and_says_so() -> None:
    """A message of any length takes a bounded place."""
    text = escaped("x" * (LONGEST_TEXT + 17))
    assert len(text) < LONGEST_TEXT + 40
    assert text.endswith("… (17 more characters)")


def test_intended_markdown_is_not_escaped_twice() -> None:
    """What is Markdown on purpose is printed as it is, and escaping is done once."""
    assert escaped(Markdown("*measured*")) == "*measured*"
    assert escaped(escaped("<b>")) == "&lt;b&gt;"


@given(st.text(max_size=60))
@example("https://runbooks.example/burn?a=b&c=d")
@example("`](javascript:alert(1))")
def test_an_address_is_code_or_text(value: str) -> None:
    """An address is never a link and never markup."""
    text = f"x {address(value)} y"
    assert kinds(text) <= {"paragraph_open", "inline", "text", "text_special", "code_inline", "paragraph_close"}


def squeezed(text: str) -> str:
    """Without differences of white space, which Markdown doesn't keep."""
    return re.sub(r"\s+", " ", text).strip()
