"""The backtest page in a browser: asked by a slider, looked at while it works, read on a telephone."""

from support.browser import NARROW, needs_chromium

from .conftest import Open, Photograph

pytestmark = needs_chromium


def test_the_slider_asks_and_the_answer_comes_by_itself(open_page: Open, photograph: Photograph) -> None:
    """The slider begins at the SLO's own objective; nothing has to be reloaded; the answer can be read by everybody."""
    window = open_page()
    window.go("/backtest")
    page = window.page
    page.get_by_label("SLO").select_option("transactions-api/availability")
    page.get_by_label("Days").fill("1")
    slider = page.get_by_role("slider", name="Objective")
    assert slider.get_attribute("aria-valuetext") == "99.9 %"
    for _ in range(3):
        slider.press("ArrowRight")
    assert page.get_by_label("Objective in percent").input_value() == "99.99"
    page.get_by_role("button", name="Replay").click()
    page.get_by_role("heading", name="What transactions-api/availability would have told").wait_for(timeout=60_000)
    assert "SLOErrorBudgetBurn" in page.get_by_role("region", name="Pages and tickets with 99.99 %").first.inner_text()
    page.wait_for_load_state("networkidle")
    assert window.grave_findings() == []
    photograph(window, "portal-backtest")
    telephone = open_page(width=NARROW, theme="dark")
    telephone.go(page.url, ready="#outcome")
    assert telephone.overflow() == []
    assert telephone.grave_findings() == []
