"""Every page of the portal in a real browser: nothing fails, nothing is cut off, everybody can read it."""

from pathlib import Path

import pytest
from sereno_portal import PortalConfiguration, create_portal
from sereno_portal.web.rendering import NAVIGATION
from support.browser import NARROW, WIDE, filled_in, needs_chromium, page_templates
from support.portal import ROOT

from .conftest import Open, Photograph

pytestmark = needs_chromium

# Nothing is asked before a page is: the address needn't exist.
TEMPLATES = page_templates(create_portal(PortalConfiguration(prometheus="http://127.0.0.1:1", root=ROOT)))
ADDRESSES = tuple(address for address in map(filled_in, TEMPLATES) if address is not None)
PICTURES = {"/": "portal-overview", "/services/transactions-api/availability": "portal-slo"}
"""What the documentation shows."""


def test_the_navigation_leads_to_pages() -> None:
    """Every name at the top has its page."""
    assert {address for address, _ in NAVIGATION} <= set(ADDRESSES)


def test_every_page_is_looked_at() -> None:
    """Each parameter of an address has an example in tests/support/browser.py."""
    assert [template for template in TEMPLATES if filled_in(template) is None] == []


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_at_work(open_page: Open, photograph: Photograph, address: str) -> None:
    """Light: a quiet console, and nothing that axe-core calls serious. Dark: colours that can be read as well."""
    window = open_page(width=WIDE)
    window.go(address)
    assert window.grave_findings() == []
    assert window.overflow() == []
    if address in PICTURES:
        photograph(window, PICTURES[address])
    window.page.emulate_media(color_scheme="dark")
    assert window.grave_findings("color-contrast") == []


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_on_a_telephone(open_page: Open, photograph: Photograph, address: str) -> None:
    """Dark, at 390 pixels: nothing moves sideways but what says that it does, and everybody can read it."""
    window = open_page(width=NARROW, theme="dark")
    window.go(address)
    assert window.overflow() == []
    assert window.grave_findings() == []
    if address in PICTURES:
        photograph(window, f"{PICTURES[address]}-telephone")


def test_a_theme_is_chosen_by_its_link_and_stays(open_page: Open) -> None:
    """What the reader's system prefers is what a page begins with."""
    window = open_page(theme="dark")
    window.go("/")
    dark = window.page.evaluate("getComputedStyle(document.body).backgroundColor")
    window.page.get_by_role("link", name="Dark").click()
    window.page.get_by_role("link", name="Light").click()
    window.page.wait_for_url("**theme=light**")
    window.go("/")
    assert window.page.evaluate("getComputedStyle(document.body).backgroundColor") != dark


def test_the_keyboard_reaches_everything(open_page: Open) -> None:
    """First the way past the navigation, then the navigation, then the first row of the page."""
    window = open_page()
    window.go("/")
    page = window.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.locator(":focus").bounding_box()["x"] >= 0, "it is seen when it is reached"  # type: ignore[index]
    for name in ("Sereno", *(name for _, name in NAVIGATION)):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent.trim()") == name
    reached = False
    for _ in range(30):
        page.keyboard.press("Tab")
        reached = page.evaluate("document.activeElement.closest('main tbody tr') !== null")
        if reached:
            break
    assert reached


def test_the_way_past_the_navigation(open_page: Open) -> None:
    """Whoever takes it goes on in the page."""
    window = open_page()
    window.go("/")
    window.page.keyboard.press("Tab")
    window.page.keyboard.press("Enter")
    window.page.keyboard.press("Tab")
    assert window.page.evaluate("document.activeElement.closest('main') !== null")


def test_what_is_told_is_told_in_spanish(open_page: Open) -> None:
    """Chosen by its link; the page says in which language it is."""
    window = open_page()
    window.go("/")
    window.page.get_by_role("link", name="Español").click()
    window.page.get_by_role("link", name="Resumen").wait_for()
    assert window.page.locator("html").get_attribute("lang") == "es"


def test_a_browser_finds_what_it_should_find(open_page: Open, tmp_path: Path) -> None:
    """A page with a mistake of each kind is one that these tests refuse."""
    broken = tmp_path / "broken.html"
    broken.write_text(
        '<html><title>broken</title><main><h1 style="color: #999; background: #aaa">Broken</h1>'
        '<div style="width: 5000px">wide</div><img src="missing.png"><script>throw new Error("told")</script></main>'
    )
    window = open_page(width=NARROW)
    window.page.goto(broken.as_uri(), wait_until="networkidle")
    assert "exception: told" in window.troubles
    assert any("missing.png" in trouble for trouble in window.troubles)
    assert {finding.split()[0] for finding in window.grave_findings()} >= {"color-contrast", "html-has-lang"}
    assert len(window.overflow()) > 1
    window.troubles.clear()
