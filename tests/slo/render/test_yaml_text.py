"""YAML text: PyYAML's bytes, whatever the texts hold, without its emitter."""

import sys
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from sereno_slo.render import yaml_text

# Indicators, line ends, spaces and digits side by side: what decides between plain, quoted and block.
_CHARACTERS = st.sampled_from(
    [*"ab01 :#-'\"\\\n%{}[],?&*!|>@`.~=<", "\t", "\x85", "\u2028", "é", "😀", "\x00", "\ue000"]
)
_TEXTS = st.text(_CHARACTERS, max_size=12) | st.text(max_size=12) | st.sampled_from(["null", "on", "1e3", "0x1", "1:2"])
_LEAVES = _TEXTS | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
_KEYS = st.sampled_from(["name", "expr", "on", "a-b"])
_DOCUMENTS = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3), max_leaves=12
)


def _by_pyyaml(document: Mapping[str, Any]) -> str:
    text: str = yaml.dump(document, Dumper=yaml_text._Dumper, sort_keys=False, allow_unicode=True, width=sys.maxsize)
    return text


def _ends_in_odd_lines(text: Any) -> bool:
    """PyYAML itself loses its line there."""
    return isinstance(text, str) and text.endswith(("\x85", "\u2028", "\u2029"))


def _leaves(document: Any) -> list[Any]:
    if isinstance(document, dict):
        return [leaf for value in document.values() for leaf in _leaves(value)]
    return [leaf for value in document for leaf in _leaves(value)] if isinstance(document, list) else [document]


@given(inner=_DOCUMENTS)
@example(inner=[{"a-b": "one\n\ntwo"}, [["x: y"], "it's # one", "a\n  b", " \n"], {}, []])
@example(inner="ends: with\nempty lines\n\n")
@example(inner=[0.0, -0.0])
def test_writes_what_pyyaml_writes(inner: Any) -> None:
    """Every document comes out byte for byte."""
    document = {"first": inner, "last": 0}
    if not any(map(_ends_in_odd_lines, _leaves(inner))):
        assert yaml_text.dump(document) == _by_pyyaml(document)


@pytest.mark.parametrize("odd", ["a\x85", "b\n\u2028"])
def test_odd_line_ends_at_the_end_keep_the_document_whole(odd: str) -> None:
    """What follows such a text is still read."""
    assert yaml.safe_load(yaml_text.dump({"text": odd, "next": 1}))["next"] == 1
