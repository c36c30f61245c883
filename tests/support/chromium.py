"""A page of the Chromium that the system's packages have."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page

from support.browser import CHROMIUM, running_browser


@contextmanager
def opened(*, width: int = 700, height: int = 900) -> Iterator[Page]:
    """A page of a browser of its own, which ends with it."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium; scripts/install-test-tools installs it")
    with running_browser() as browser:
        yield browser.new_page(viewport={"width": width, "height": height})
