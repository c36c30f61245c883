"""Comments in generated YAML: half of what a configuration says."""

import re

COMMENT = "#"
"""A key of a mapping in a list, its first: what is written there as a comment above the item; one line."""

_FIRST_OF_ITEM = re.compile(r"^( *)- '#': (.*)\n\1  ", re.MULTILINE)


def with_comments(text: str) -> str:
    """The text with those keys as comments."""
    return _FIRST_OF_ITEM.sub(lambda found: f"{found[1]}# {_plain(found[2])}\n{found[1]}- ", text)


def _plain(scalar: str) -> str:
    quoted = scalar.startswith("'") and scalar.endswith("'")
    return scalar[1:-1].replace("''", "'") if quoted else scalar
