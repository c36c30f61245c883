"""Charts are well-formed whatever the figures and names are, and don't draw what nobody knows."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sereno_postmortems.draft.svg import Bars, Limit, Line, Picture, draw

START = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def picture(
    *series: Line | Bars, title: str = "t", length: timedelta = 60 * MINUTE, limit: Limit | None = None
) -> Picture:
    """A chart of an hour, with an incident of ten minutes."""
    shaded = (START + length / 3, START + length / 2)
    return Picture(title, START, START + length, shaded, lambda value: f"{value:g}", series, limit)


def elements(svg: str, kind: str) -> list[ET.Element]:
    """All elements of a kind."""
    return [node for node in ET.fromstring(svg).iter() if node.tag.endswith(kind)]  # noqa: S314 - our own


def test_points_with_a_gap_between_are_not_joined() -> None:
    """Two runs are two lines, and a lonely point is a dot."""
    stamps = [0, 1, 2, 7, 8, 20]
    points = tuple((START + number * MINUTE, 1.0) for number in stamps)
    svg = draw(picture(Line("x", "#000000", points, 2 * MINUTE)))
    assert len(elements(svg, "polyline")) == 2
    assert len(elements(svg, "circle")) == 1


@settings(max_examples=60)
@given(
    title=st.text(max_size=30),
    values=st.lists(st.floats(0, 1e12), max_size=5),
    length=st.timedeltas(MINUTE, timedelta(days=40)),
    bound=st.floats(0, 1e9),
)
def test_any_figures_and_names_give_a_picture(title: str, values: list[float], length: timedelta, bound: float) -> None:
    """It is XML with nothing in it but shapes and text, few ticks, and nothing outside of its frame."""
    points = tuple((START + number * MINUTE, value) for number, value in enumerate(values))
    bars = Bars(("a", title), ("#111111", "#222222"), tuple((at, (value, value)) for at, value in points), MINUTE)
    svg = draw(
        picture(Line(title, "#333333", points, MINUTE), bars, title=title, length=length, limit=Limit(title, bound))
    )
    tags = {node.tag.rpartition("}")[2] for node in ET.fromstring(svg).iter()}  # noqa: S314 - our own
    assert tags <= {"svg", "title", "rect", "text", "line", "polyline", "circle"}
    assert len(elements(svg, "text")) < 25
    for node in elements(svg, "rect"):
        assert -0.1 <= float(node.get("y", "0")) <= 280
        assert float(node.get("height", "-1")) >= 0


@pytest.mark.parametrize("name", ["</title><script>x</script>", "'><a href='javascript:x'>", "\x00\x1b]0;x\u202e"])
def test_hostile_names_are_only_text(name: str) -> None:
    """Markup, quotes and control characters of a label can't leave their text."""
    svg = draw(picture(title=name, limit=Limit(name, 1)))
    assert "<script" not in svg
    assert "<a " not in svg
    assert not set("\x00\x1b\u202e") & set(svg)
