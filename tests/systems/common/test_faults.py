"""Faults on their own; switched over HTTP they are in each system's tests."""

import pytest
from reference_system.faults import Share


@pytest.mark.parametrize(("ratio", "taken"), [(1.0, 100), (0.6, 60), (0.333, 33), (0.1, 10), (0.01, 1)])
def test_a_share_is_exact(ratio: float, taken: int) -> None:
    """Of a hundred, as many as the ratio says."""
    share = Share()
    assert sum(share.takes(ratio) for _ in range(100)) == taken
