"""The grammar of a gate's conditions: everything is read or told as a mistake, as editors are told."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sereno_slo.gate import (
    CONDITION_PATTERN,
    Burning,
    BurnKind,
    ConditionMistake,
    CoverageBelow,
    RemainingBelow,
    Unknown,
    read_condition,
)

WORDS = ("remaining", "coverage", "burning", "unknown", "page", "fast", "<", "<=", ">", "10", "-5", "0.5", "%", " ", "")


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("remaining < 10%", RemainingBelow(0.1)),
        ("  remaining<-12.5 %  ", RemainingBelow(-0.125)),
        ("coverage < 50%", CoverageBelow(0.5)),
        ("burning", Burning(None)),
        ("burning   ticket", Burning(BurnKind.TICKET)),
        ("unknown", Unknown()),
    ],
)
def test_conditions_are_read(text: str, condition: object) -> None:
    """Spaces don't matter, percent become ratios."""
    assert read_condition(text) == condition


@given(st.one_of(st.text(max_size=30), st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)))
def test_every_text_is_a_condition_or_a_mistake(text: str) -> None:
    """Never another exception; and what an editor underlines is what is refused, but for percentages out of range."""
    matches = re.fullmatch(CONDITION_PATTERN, text) is not None
    try:
        read_condition(text)
    except ConditionMistake as error:
        mistake: ConditionMistake | None = error
    else:
        mistake = None
    if mistake is None:
        assert matches
    else:
        assert mistake.code in {"SLO080", "SLO081"}
        assert mistake.hint
        assert not matches or "is not above" in str(mistake)
