"""One Prometheus over simulated time for all tests of the ledger in a worker."""

from collections.abc import Iterator

import pytest

from benchmarks.simulation import Server, running_prometheus


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real Prometheus that takes samples of any time; tests share it under jobs of their own."""
    with running_prometheus(tmp_path_factory.mktemp("engine")) as server:
        yield server
