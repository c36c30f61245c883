"""One Prometheus for the tests of this folder in a worker; it holds what they write, under services of their own."""

from collections.abc import Iterator

import pytest

from benchmarks.simulation import Server, running_prometheus


@pytest.fixture(scope="session")
def clockwork(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real Prometheus that takes samples of any time."""
    with running_prometheus(tmp_path_factory.mktemp("clockwork")) as server:
        yield server
