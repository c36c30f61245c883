"""A page of the Chromium that the system's packages have."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, sync_playwright


@contextmanager
def opened(*, width: int = 700, height: int = 900) -> Iterator[Page]:
    """A page of a browser of its own, which ends with it."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium; scripts/install-test-tools installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--headless=new"])
        yield browser.new_page(viewport={"width": width, "height": height})
        browser.close()
