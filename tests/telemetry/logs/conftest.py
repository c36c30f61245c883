"""What tests of the logs share."""

import pytest
from support.memory_log import MemoryLog


@pytest.fixture
def log() -> MemoryLog:
    """A log of this test alone, in memory."""
    return MemoryLog()
