"""Which colours people confuse who are red-green blind."""

import pytest
from sereno_slo.dashboards_check.colours import confusable


@pytest.mark.parametrize(
    "colours",
    [("green", "red"), ("dark-green", "dark-red"), ("blue", "purple"), ("#73BF69", "#F2495C"), ("#000000", "#050505")],
)
def test_these_look_alike_to_somebody(colours: tuple[str, str]) -> None:
    """Two of Grafana's own, or of somebody's choice."""
    assert list(confusable(colours)) == [colours]


@pytest.mark.parametrize(
    "colours",
    [("blue", "orange", "red"), ("red", "orange", "blue", "red"), ("transparent", "red"), ("text",), ("x", "y")],
)
def test_these_are_told_apart_by_all(colours: tuple[str, ...]) -> None:
    """Sereno's own palette; colours of the theme aren't known, and one colour twice is meant so."""
    assert list(confusable(colours)) == []
