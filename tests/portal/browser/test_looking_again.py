"""Pages that look again by themselves: they wait for the server, and for whoever reads them."""

import pytest
from playwright.sync_api import Route
from support.browser import Window, needs_chromium

from .conftest import Open

pytestmark = needs_chromium
SLO = "/services/transactions-api/availability"
WAITING = "No answer since"


def opened(open_page: Open, address: str) -> Window:
    """A window whose time can be moved on."""
    window = open_page()
    window.page.clock.install()
    window.go(address)
    window.page.evaluate("document.body.dataset.isFirst = 'yes'")
    return window


def is_first(window: Window) -> bool:
    """Whether it still shows the page that was opened."""
    return window.page.locator("body[data-is-first]").count() == 1


@pytest.mark.parametrize("status", [None, 503])
def test_a_wall_waits_for_its_server(open_page: Open, status: int | None) -> None:
    """What is known stays, said to be old, while the server is away or can't tell; then the wall is of now again."""
    window = opened(open_page, "/wall")

    def away(route: Route) -> None:
        if status is None:
            route.abort()
        else:
            route.fulfill(status=status)

    window.page.route("**/wall", away)
    window.page.clock.fast_forward(15_000)
    window.page.get_by_text(WAITING).wait_for()
    window.page.clock.fast_forward(15_000)
    assert "need somebody" in window.page.locator("h1").inner_text()
    assert is_first(window)
    assert window.page.get_by_text(WAITING).count() == 1
    assert window.grave_findings() == []
    window.page.unroute("**/wall")
    window.page.clock.fast_forward(15_000)
    window.page.locator("body:not([data-is-first]) h1").wait_for()
    assert window.page.get_by_text(WAITING).count() == 0
    window.troubles.clear()


def test_what_somebody_reads_stays(open_page: Open) -> None:
    """A table that was opened by hand; when it is closed the page looks again."""
    window = opened(open_page, SLO)
    table = window.page.locator("figure.chart details").first
    table.locator("summary").click()
    with window.page.expect_event("framenavigated", timeout=10_000):
        window.page.clock.fast_forward(60_000)
        window.page.wait_for_timeout(500)
        assert is_first(window)
        table.locator("summary").click()
        window.page.clock.fast_forward(60_000)
    window.page.locator("body:not([data-is-first]) h1").wait_for()
