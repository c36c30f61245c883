"""A runbook's text in its parts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sereno_postmortems.runbooks import Block, Prose, blocks, segments

RUNBOOK = """# A

1. **First.**

   ```promql may-be-empty
   up == 0
     or b
   ```

~~~~sh
echo '```'
~~~
~~~~
```
plain
```
"""


def test_kinds_marks_and_contents() -> None:
    """Each block tells its kind, its marks and its line; its content has lost the indentation of its list item."""
    query, script, plain = blocks(RUNBOOK)
    assert (query.kind, query.may_be_empty, query.line) == ("promql", True, 5)
    assert query.content == "up == 0\n  or b"
    assert (script.kind, script.may_be_empty, script.content) == ("sh", False, "echo '```'\n~~~")
    assert (plain.kind, plain.content) == ("", "plain")


@pytest.mark.parametrize("mark", ["", " may-be-full", " MAY-BE-EMPTY", " may-be-empty-not"])
def test_other_marks_are_not_the_mark(mark: str) -> None:
    """Only the very word says that a query may be empty."""
    assert [block.may_be_empty for block in blocks(f"```promql{mark}\nup\n```\n")] == [False]


def test_a_block_without_end_goes_to_the_end() -> None:
    """A forgotten fence hides nothing."""
    (block,) = blocks("a\n```sh\necho\n")
    assert (block.content, block.closing) == ("echo", "")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["```", "```promql x", "~~~", "   ```", "text", "`a`", "", "````"])).map("\n".join))
def test_parts_are_the_text(text: str) -> None:
    """Put together again, the parts are the text, sign for sign."""
    whole = "".join(
        part.text if isinstance(part, Prose) else part.opening + part.text + part.closing for part in segments(text)
    )
    assert whole == text
    assert all(isinstance(part, Block | Prose) for part in segments(text))
