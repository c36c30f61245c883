"""Fixtures that tests of several parts ask for, each defined beside its helpers in tests/support; the order."""

import os

import pytest
from support.elasticsearch import elasticsearch, elasticsearch_door, elasticsearch_server

__all__ = [
    "elasticsearch",
    "elasticsearch_door",
    "elasticsearch_server",
    "pytest_collection_modifyitems",
    "pytest_runtest_setup",
]

_NICENESS = 10


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long first, and everything else fits beside it: stories, Elasticsearch, what shares a server.

    After pytest-randomly has shuffled (hence `trylast`); the sort is stable, so the rest stays random.
    """
    markers = ("story", "elasticsearch", "xdist_group")
    items.sort(key=lambda item: [item.get_closest_marker(marker) is None for marker in markers])


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Give way to stories: they tell what users feel of systems that need the processor when they need it.

    A worker's priority goes down, for good, with its first test that isn't a story.
    """
    workers = hasattr(item.config, "workerinput")
    if workers and item.get_closest_marker("story") is None and os.nice(0) < _NICENESS:
        os.nice(_NICENESS)
