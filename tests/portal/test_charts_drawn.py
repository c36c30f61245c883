"""Charts in a real browser: the picture, its words for those who can't see it, and figures as the server says them."""

import dataclasses
import hashlib
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, Route
from sereno_portal.charts import Bound, Chart, Hue, Line, Mark
from sereno_portal.web.figures import figure
from support.chromium import opened
from support.portal import END, ROOT

UNITS = ("short", "percentunit", "s", "ms", "µs", "bytes", "Bps", "locale", "cpm", "suffix: rows", "d", "celsius")
SMALL = (0.0, 1.0, 0.25, 0.00001234, 0.9996, 9.96, 12.0, 42.195, -3.5)
LARGE = (999.7, 1234.0, 59_999.0, 93_784.0, 1_234_567.8, -90_061.0, 3e9)
CHART = Chart(
    "Budget", "percentunit", tuple(END + 60 * minute for minute in range(30)),
    (
        Line("remaining", (*(0.9 - 0.01 * minute for minute in range(20)), *(None,) * 10), Hue.GOOD),
        Line("forecast", (*(None,) * 19, *(0.71 - 0.01 * minute for minute in range(11))), Hue.GOOD, dashed=True),
        *(Line(f"line {number}", tuple(number / 20 for _ in range(30))) for number in range(10)),
        Line("events", tuple(600.0 + minute for minute in range(30)), right=True),
    ),
    bounds=(Bound(0.25, "a quarter"),),
    marks=(Mark(END + 300, "deployed 4711"), Mark(END + 600, "fault", Hue.BAD, until=END + 900)),
    minimum=0, right_unit="cpm",
)  # fmt: skip


@pytest.fixture(scope="module")
def browsed(without_prometheus: httpx.Client) -> Iterator[Page]:
    """A page of the portal that has nothing of its own on it."""
    with opened() as page:
        page.goto(f"{without_prometheus.base_url}/nowhere?lang=en&theme=light")
        yield page


def test_the_browser_says_figures_as_the_server_does(browsed: Page) -> None:
    """So that a table, a stat and an axis never differ."""
    cases = [[value, unit, decimals] for value in SMALL + LARGE for unit in UNITS for decimals in (None, 2)]
    said = browsed.evaluate("cases => cases.map(each => sereno.figure(...each))", cases)
    wanted = [figure(value, unit, decimals) for value, unit, decimals in cases]  # type: ignore[arg-type]
    assert [(case, text) for case, text in zip(cases, said, strict=True)] == list(zip(cases, wanted, strict=True))


def test_a_chart_can_be_seen_and_heard(browsed: Page) -> None:
    """Lines, words with the latest values, a legend of buttons, a table with the events."""
    browsed.evaluate(
        """chart => {
            const figure = sereno.element("figure", {class: "chart"}, sereno.element("figcaption", {}, chart.title));
            document.querySelector("main").replaceChildren(figure);
            sereno.draw(figure, chart);
        }""",
        dataclasses.asdict(CHART),
    )
    label = browsed.get_by_role("img").get_attribute("aria-label") or ""
    assert "remaining 71 %" in label
    assert "line 3 15 %" in label
    assert browsed.evaluate(COUNT_COLOURS) > 9, "lines, grid and texts are painted"
    first = browsed.get_by_role("button", name="remaining")
    before = browsed.evaluate(CANVAS)
    first.focus()
    browsed.keyboard.press("Enter")
    assert first.get_attribute("aria-pressed") == "false"
    browsed.wait_for_function(f"before => ({CANVAS}) !== before", arg=before)
    browsed.get_by_text("Table", exact=True).click()
    browsed.get_by_role("row").first.wait_for()
    assert browsed.get_by_role("row").count() == len(CHART.times) + 1
    assert browsed.get_by_text("UTC: fault").count() == 1


def test_a_chart_that_cant_be_told_says_so(browsed: Page) -> None:
    """With the server's own words, and a button that asks again."""
    browsed.evaluate(
        """() => {
            const figure = sereno.element("figure", {class: "chart"});
            document.querySelector("main").replaceChildren(figure);
            return sereno.load(figure, "/api/v1/overview", sereno.draw);
        }"""
    )
    assert "This can't be told now" in browsed.get_by_role("status").inner_text()
    assert browsed.get_by_role("button", name="Try again").is_visible()


def test_a_chart_stays_where_it_cant_be_asked_anew(browsed: Page) -> None:
    """With one notice above it, however often that fails; a chart of another address goes."""
    answers = [(200, dataclasses.asdict(CHART)), *((503, {"error": "it is away"}) for _ in range(3))]

    def answer(route: Route) -> None:
        status, found = answers.pop(0)
        route.fulfill(status=status, json=found)

    browsed.route("**/api/v1/kept*", answer)
    browsed.evaluate(
        """async () => {
            const figure = sereno.element("figure", {class: "chart"});
            document.querySelector("main").replaceChildren(figure);
            for (let time = 0; time < 3; time += 1) await sereno.load(figure, "/api/v1/kept", sereno.draw);
        }"""
    )
    assert browsed.get_by_role("status").all_inner_texts() == ["This can't be told now: it is away"]
    assert browsed.get_by_role("button", name="Try again").count() == 1
    assert browsed.get_by_role("img").is_visible()
    browsed.evaluate('() => sereno.load(document.querySelector("figure"), "/api/v1/kept?other", sereno.draw)')
    assert browsed.get_by_role("img").count() == 0
    assert browsed.get_by_role("button", name="Try again").count() == 1


def test_what_draws_is_what_npm_gave() -> None:
    """The vendored files are those of the reviewed version."""
    folder = ROOT / "portal" / "sereno_portal" / "static" / "vendor" / "uplot"
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    written = {name: checksum for checksum, name in map(str.split, lines)}
    found = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in written}
    assert found == written
    assert set(written) == {"LICENSE", "uPlot.iife.min.js", "uPlot.min.css"}


CANVAS = 'document.querySelector("figure .u-wrap canvas").toDataURL()'
COUNT_COLOURS = """() => {
    const canvas = document.querySelector("figure .u-wrap canvas");
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return new Set(new Uint32Array(pixels.buffer)).size;
}"""
