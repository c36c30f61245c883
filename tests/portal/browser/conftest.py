"""One browser for these tests, and windows that look at the portal with two days of past."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from sereno_portal import PortalConfiguration
from sereno_postmortems.sources import DatabaseIncidents
from sereno_postmortems.store import IncidentStore
from support.browser import WIDE, Window, open_window, running_browser
from support.incident_story import record
from support.incidents import PAGE, reported, webhook
from support.portal import END, ROOT, running_portal
from support.prometheus import RunningProcess

Open = Callable[..., Window]
"""Opens a window at `width` and in a `theme`."""
Photograph = Callable[[Window, str], None]
"""Keeps a picture of a window for the documentation, by its name, where pictures are to be made anew."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; gone before another file's tests come: while it is driven, this thread has a running event loop."""
    with running_browser() as found:
        yield found


@pytest.fixture(scope="session")
def portal_on_duty(past: RunningProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a portal that looks at the end of the past, and has an open incident."""
    store = IncidentStore(tmp_path_factory.mktemp("on-duty") / "incidents.sqlite")
    store.prepare()
    now = datetime.fromtimestamp(END, UTC)
    alert = reported({**PAGE, "burn": "fast", "long_window": "1h"}, now - timedelta(minutes=30))
    record(store, webhook([alert]), now - timedelta(minutes=29))
    configuration = PortalConfiguration(
        prometheus=past.url, root=ROOT, incidents=DatabaseIncidents(store), clock=lambda: now
    )
    with running_portal(configuration) as client:
        yield str(client.base_url)


@pytest.fixture
def open_page(browser: Browser, portal_on_duty: str) -> Iterator[Open]:
    """Opens a window that looks at the portal; nothing may have gone wrong on it when the test ends."""
    windows = []
    with ExitStack() as stack:

        def opened(*, width: int = WIDE, theme: str = "light") -> Window:
            windows.append(stack.enter_context(open_window(browser, portal_on_duty, width=width, theme=theme)))
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
