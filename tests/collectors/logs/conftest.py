"""A collector around the files of one test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.collecting import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A collector of `app.log` into a SQLite store."""
    made = Bench(tmp_path)
    yield made
    made.close()
