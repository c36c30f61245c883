"""A dashboard in a real browser: every kind of panel shows what its JSON says, to everybody."""

from collections.abc import Iterator

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import ConsoleMessage, Error, Page
from support.chromium import opened


@pytest.fixture(scope="module")
def telephone() -> Iterator[Page]:
    """A browser as narrow as a telephone."""
    with opened(width=390, height=4_000) as page:
        yield page


@pytest.fixture
def drawn(telephone: Page, shown: httpx.Client) -> Iterator[Page]:
    """The dashboard that has a panel of each kind, everything open and answered; whatever complains fails the test."""
    complaints: list[str] = []

    def complain(message: ConsoleMessage | Error) -> None:
        complaints.append(str(message))

    telephone.on("console", complain)
    telephone.on("pageerror", complain)
    telephone.goto(f"{shown.base_url}/dashboards/shown?lang=en&theme=light")
    telephone.locator("details.section > summary").click()
    panels = telephone.locator("[data-panel]").count()
    telephone.wait_for_function(
        "count => document.querySelectorAll('[data-panel] > .body').length === count", arg=panels
    )
    yield telephone
    telephone.remove_listener("console", complain)
    telephone.remove_listener("pageerror", complain)
    # Chromium itself says that the refused panel's answer was a 503.
    assert [text for text in complaints if "503" not in text] == []


def panel(page: Page, title: str) -> str:
    """The words of a panel."""
    return page.locator("figure.panel", has=page.get_by_role("heading", name=title, exact=True)).inner_text()


def test_panels_show_their_answers(drawn: Page) -> None:
    """Signs beside colours, tables with links, pictures with words, reasons where there is nothing."""
    assert drawn.get_by_role("img").count() == 2
    assert "plain 4/min" in (drawn.get_by_role("img").first.get_attribute("aria-label") or "").replace("path=", "")
    assert "100 ms" in (drawn.get_by_role("img").last.get_attribute("aria-label") or "")
    assert "50 %" in panel(drawn, "How full")
    assert "✖ 8" in panel(drawn, "Rows")
    assert drawn.get_by_role("link", name="plain").get_attribute("href") == "https://example.org/?q=plain"
    assert "all is calm" in panel(drawn, "Nothing")
    assert "✖ spent" in panel(drawn, "Mapped")
    assert "✖ firing" in panel(drawn, "States")
    assert drawn.locator("figure.state-timeline rect").count() == 2
    assert "Elasticsearch" in panel(drawn, "Log lines")
    assert "This can't be told now: " in panel(drawn, "Refused")
    assert "parse error" in panel(drawn, "Refused")


def test_it_fits_a_telephone_and_a_screen_reader(drawn: Page) -> None:
    """No sideways scrolling of the page, and nothing that axe calls serious or critical."""
    assert drawn.evaluate("document.documentElement.scrollWidth") <= 390
    found = Axe().run(drawn).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")] == []


def test_another_choice_is_shown(drawn: Page) -> None:
    """Values are chosen by the form; what depends on a changed one is chosen anew by the server."""
    drawn.select_option("select[name=var-one]", "plain")
    drawn.get_by_role("button", name="Show").click()
    drawn.wait_for_url("**var-one=plain**")
    drawn.select_option("select[name=var-path]", "back\\slash")
    drawn.get_by_role("button", name="Show").click()
    drawn.wait_for_url("**var-path=back**")
    assert "var-one" not in drawn.url
    assert drawn.locator("h1").inner_text() == "Everything 3600"
