"""The wall: one state that is read from afar."""

import httpx
from support.portal import BURNING, OVERSPENT


def test_the_wall_tells_what_burns(portal: httpx.Client) -> None:
    """How many need somebody, the worst first; dark, without navigation, and it looks again by itself."""
    told = portal.get("/api/v1/wall").json()
    assert (told["slos"], told["in_trouble"], told["paged"], told["unknown"]) == (26, 2, 2, 0)
    assert [(each["service"], each["slo"]) for each in told["worst"]] == [OVERSPENT, BURNING]
    page = portal.get("/wall").text
    assert "▲ 2 SLOs need somebody" in page
    assert "22:13" in page, "the clock"
    assert "<nav" not in page
    assert 'data-theme="dark"' in page
    assert 'data-reload="15"' in page
