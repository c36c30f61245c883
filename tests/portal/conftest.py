"""Portals of the repository's own specs: over a Prometheus with two days of past, and over one that isn't there."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import httpx
import pytest
from sereno_portal import PortalConfiguration
from support.portal import END, ROOT, catalogue, history, running_portal
from support.portal_dashboards import measured, write_repository
from support.ports import free_port
from support.prometheus import RunningProcess, running_prometheus

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker has the past, which takes ten seconds to write."""
    for item in items:
        if HERE in item.path.parents and "past" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("portal"))


@pytest.fixture(autouse=True)
def forgetful(request: pytest.FixtureRequest) -> Iterator[None]:
    """Clients that tests share keep no language and theme that one of them has chosen."""
    yield
    for name in {"portal", "without_prometheus", "shown"} & set(request.fixturenames):
        request.getfixturevalue(name).cookies.clear()


@pytest.fixture(scope="session")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProcess]:
    """A Prometheus that holds the past of all SLOs."""
    past = chain(history(catalogue()), measured())
    with running_prometheus(tmp_path_factory.mktemp("portal-past"), history=past) as server:
        yield server


@pytest.fixture(scope="session")
def portal(past: RunningProcess) -> Iterator[httpx.Client]:
    """A client of a portal that looks at the end of the past."""
    configuration = PortalConfiguration(prometheus=past.url, root=ROOT, clock=lambda: datetime.fromtimestamp(END, UTC))
    with running_portal(configuration) as client:
        yield client


@pytest.fixture(scope="session")
def without_prometheus() -> Iterator[httpx.Client]:
    """A client of a portal whose Prometheus is away."""
    with running_portal(PortalConfiguration(prometheus=f"http://127.0.0.1:{free_port()}", root=ROOT)) as client:
        yield client


@pytest.fixture(scope="session")
def shown(past: RunningProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a portal of a repository whose dashboard has a panel of each kind."""
    root = tmp_path_factory.mktemp("shown")
    write_repository(root)
    with running_portal(
        PortalConfiguration(prometheus=past.url, root=root, clock=lambda: datetime.fromtimestamp(END, UTC))
    ) as client:
        yield client
