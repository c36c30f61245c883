"""A queue to work with."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.queueing import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A queue to work with."""
    made = Desk(tmp_path)
    yield made
    made.queue.close()
