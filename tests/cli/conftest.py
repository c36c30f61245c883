"""One shop with a known past for all tests of budgets in a worker."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.spent_budget import SPEC, running_shop


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Prometheus with the shop's past."""
    with running_shop(tmp_path_factory.mktemp("shop")) as server:
        yield server.url


@pytest.fixture
def shop_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the shop's spec in slo/specs."""
    specs = tmp_path / "slo/specs"
    specs.mkdir(parents=True)
    (specs / "shop.slo.yaml").write_text(SPEC, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path
