"""Fixtures that tests of several parts ask for, each defined beside its helpers in tests/support; and the order."""

import pytest
from support.elasticsearch import elasticsearch, elasticsearch_server

__all__ = ["elasticsearch", "elasticsearch_server", "pytest_collection_modifyitems"]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow ones first: the story of an incident takes minutes, and everything else fits beside it.

    After pytest-randomly has shuffled (hence `trylast`); the sort is stable, so the rest stays random.
    """
    items.sort(
        key=lambda item: (item.get_closest_marker("story") is None, item.get_closest_marker("elasticsearch") is None)
    )
