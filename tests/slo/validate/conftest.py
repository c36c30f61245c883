"""One Prometheus over simulated time for the tests of this folder in a worker."""

from collections.abc import Iterator

import pytest

from benchmarks.simulation import Server, running_prometheus


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real Prometheus that takes samples of any time; tests share it under services of their own."""
    with running_prometheus(tmp_path_factory.mktemp("engine")) as server:
        yield server
