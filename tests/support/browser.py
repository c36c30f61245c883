"""A browser in front of the portal's pages: the system's own Chromium, and everything that it complains about."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (Debian: chromium)")

WIDE, NARROW = 1280, 390
"""Pixels of a screen at work, and of a telephone."""
GRAVE = ("serious", "critical")
"""What nobody may find, of axe-core's four grades."""

EXAMPLES: dict[str, str] = {
    "service": "transactions-api",
    "slo": "availability",
    "alert": "SLOErrorBudgetBurn",
    "uid": "sereno-etl",
    "name": "etl",
    "number": "2",
    "incident_id": "2023-11-14-transactions-api-availability",
}
"""What stands for a parameter of an address; a page with another one adds it here."""
LEFT = "net::ERR_ABORTED"
"""What Chromium says of a request that was on its way when the page was left: no trouble of the page's."""
NOT_PAGES = ("/api/", "/static/", "/health", "/metrics", "/openapi.json")
"""What addresses begin with that are for machines."""
FILES = (".md", ".zip", "/{folder}/{name}")
"""What addresses end with that are saved, not read."""


def page_templates(app: FastAPI) -> tuple[str, ...]:
    """The addresses of all pages that the portal has, so that a new page is looked at without being named."""
    templates = (str(route.path_format) for route in iter_route_contexts(app.routes) if "GET" in (route.methods or ()))
    return tuple(each for each in templates if not each.startswith(NOT_PAGES) and not each.endswith(FILES))


def filled_in(template: str) -> str | None:
    """An address that exists; None where a parameter has no example."""
    try:
        return template.format_map(EXAMPLES)
    except KeyError:
        return None


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Chromium without a window; it ends with its processes."""
    with sync_playwright() as playwright:
        # Without a sandbox: root has none in a container, and the pages are our own.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--headless=new"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass(frozen=True, slots=True)
class Window:
    """One page in a browser, and what went wrong on it."""

    page: Page
    troubles: list[str] = field(default_factory=list)
    """Errors and warnings of the console, exceptions, requests that failed or were refused."""

    @property
    def path(self) -> str:
        """Where it is, without the portal's address and what is asked for."""
        return urlsplit(self.page.url).path

    def go(self, address: str, *, ready: str = "main h1") -> None:
        """Open an address; it's there when its files and charts are, and `ready` is seen.

        Raises:
            AssertionError: it isn't a page, or something of it went wrong.
        """
        self.troubles.clear()
        answer = self.page.goto(address, wait_until="networkidle")
        assert answer is not None
        assert answer.ok, f"{address}: {answer.status}"
        self.page.locator(ready).first.wait_for()
        self.check()

    def check(self) -> None:
        """Nothing went wrong since the page was opened."""
        assert self.troubles == [], f"{self.page.url}: {self.troubles}"

    def overflow(self) -> list[str]:
        """What reaches beyond the right edge, where the page as a whole can be moved sideways."""
        found: list[str] = self.page.evaluate(_OVERFLOW)
        return found

    def grave_findings(self, *rules: str) -> list[str]:
        """What axe-core finds serious or critical, by all its rules or by those that are named."""
        options: dict[str, Any] = {"resultTypes": ["violations"]}
        if rules:
            options["runOnly"] = {"type": "rule", "values": list(rules)}
        self.page.evaluate(f"() => {{ if (!window.axe) {{ {AXE_SCRIPT} }} }}")
        found = self.page.evaluate("options => axe.run(options)", options)
        return [
            f"{violation['id']} ({violation['impact']}): {node['html'][:200]} {node['failureSummary']}"
            for violation in found["violations"]
            for node in violation["nodes"]
            if violation["impact"] in GRAVE
        ]


_OVERFLOW = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  const wide = [...document.querySelectorAll("body *")].filter(each => each.getBoundingClientRect().right > room + 1);
  const inside = each => each.closest(".scroll, pre") && !each.matches(".scroll, pre");
  return ["the page", ...wide.filter(each => !inside(each)).slice(0, 5).map(each => each.outerHTML.slice(0, 120))];
}"""


@contextmanager
def open_window(browser: Browser, address: str, *, width: int = WIDE, theme: str = "light") -> Iterator[Window]:
    """A window of its own, without cookies of others, that looks at a portal; it closes afterwards.

    Args:
        browser: a running one.
        address: of the portal, before every path.
        width: in pixels; a narrow one is a telephone, which is touched.
        theme: what the reader's system prefers, `light` or `dark`.
    """
    is_telephone = width <= NARROW
    context = browser.new_context(
        base_url=address,
        viewport={"width": width, "height": 844 if is_telephone else 900},
        color_scheme="dark" if theme == "dark" else "light",
        has_touch=is_telephone,
        locale="en-GB",
    )
    context.set_default_timeout(10_000)
    try:
        window = Window(context.new_page())
        _listen(window)
        yield window
    finally:
        context.close()


def _listen(window: Window) -> None:
    def console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            window.troubles.append(f"console: {message.text}")

    def failed(request: Request) -> None:
        if request.failure != LEFT:
            window.troubles.append(f"failed: {request.url} {request.failure}")

    def answered(response: Response) -> None:
        if response.status >= 400:
            window.troubles.append(f"{response.status}: {response.url}")

    window.page.on("console", console)
    window.page.on("pageerror", lambda error: window.troubles.append(f"exception: {error}"))
    window.page.on("requestfailed", failed)
    window.page.on("response", answered)
