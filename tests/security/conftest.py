"""What the tests of security share: all servers at work, once for a worker."""

from collections.abc import Iterator

import pytest
from support.listeners import Listeners, all_listeners


@pytest.fixture(scope="session")
def listeners(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listeners]:
    """By name; gone when the session ends."""
    with all_listeners(tmp_path_factory.mktemp("listeners")) as found:
        yield found
