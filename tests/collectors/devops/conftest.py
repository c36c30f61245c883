"""One receiver for the tests that leave nothing behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.devops_receiver import Receiver, receiving, receiving_here


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """A receiver in a process of its own that nothing is stored by."""
    yield from receiving(tmp_path_factory.mktemp("devops"))


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    """A fresh receiver."""
    yield from receiving_here(tmp_path)


@pytest.fixture(scope="module")
def shared_to_fill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """A receiver whose store may hold anything."""
    yield from receiving_here(tmp_path_factory.mktemp("filled"))
