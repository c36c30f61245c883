"""One browser for all tests, and windows that look at the portal with two days of past."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser
from support.browser import WIDE, Window, open_window, running_browser
from support.portal import ROOT

Open = Callable[..., Window]
"""Opens a window at `width` and in a `theme`."""
Photograph = Callable[[Window, str], None]
"""Keeps a picture of a window for the documentation, by its name, where pictures are to be made anew."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with running_browser() as found:
        yield found


@pytest.fixture
def open_page(browser: Browser, portal: httpx.Client) -> Iterator[Open]:
    """Opens a window that looks at the portal; nothing may have gone wrong on it when the test ends."""
    windows = []
    with ExitStack() as stack:

        def opened(*, width: int = WIDE, theme: str = "light") -> Window:
            windows.append(stack.enter_context(open_window(browser, str(portal.base_url), width=width, theme=theme)))
            return windows[-1]

        yield opened
        for window in windows:
            window.check()


@pytest.fixture(scope="session")
def photograph() -> Photograph:
    """Writes docs/pictures anew with SERENO_UPDATE_PICTURES=1; else it does nothing."""

    def kept(window: Window, name: str) -> None:
        if os.environ.get("SERENO_UPDATE_PICTURES") == "1":
            _write(window, ROOT / "docs" / "pictures" / f"{name}.png")

    return kept


def _write(window: Window, path: Path) -> None:
    window.page.screenshot(path=path, animations="disabled", caret="hide")
