"""Which SLOs there are, while people write their specs."""

from pathlib import Path

import pytest
from sereno_portal import catalogue
from sereno_portal.catalogue import CatalogueShelf

SPEC = """\
version: sereno/v1
service: {service}
owner: sales
slos:
  - name: calls
    objective: {objective}
    impact: Nobody can buy
    indicator:
      ratio: {{total: 'calls_total{{job="shop"}}', bad: 'failed_total{{job="shop"}}'}}
"""


def write(root: Path, name: str, *, service: str = "", objective: float = 99) -> Path:
    """A spec; it has a mistake where the objective is over 100."""
    path = root / "slo" / "specs" / f"{name}.slo.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SPEC.format(service=service or name, objective=objective), encoding="utf-8")
    return path


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CatalogueShelf:
    """One that looks at its files whenever it is asked; it has seen two services."""
    monkeypatch.setattr(catalogue, "LOOK_SECONDS", 0.0)
    write(tmp_path, "shop")
    write(tmp_path, "stock")
    shelf = CatalogueShelf(tmp_path, tmp_path / "slo" / "specs", tmp_path / "sereno.yaml")
    assert names(shelf) == ["shop", "stock"]
    return shelf


def names(shelf: CatalogueShelf) -> list[str]:
    """Of the services that have a page."""
    return [service.name for service in shelf.current().services]


def test_a_spec_that_is_wrong_for_a_moment_keeps_its_page(shelf: CatalogueShelf, tmp_path: Path) -> None:
    """Its mistake is told by its path in the repository."""
    write(tmp_path, "shop", objective=101)
    assert names(shelf) == ["shop", "stock"]
    (mistake,) = shelf.current().mistakes
    assert mistake.startswith("slo/specs/shop.slo.yaml:")
    assert str(tmp_path) not in mistake


def test_what_is_deleted_is_gone_whatever_else_is_wrong(shelf: CatalogueShelf, tmp_path: Path) -> None:
    """Also a service that has another name now."""
    write(tmp_path, "shop", objective=101)
    stock = write(tmp_path, "stock", service="store")
    assert names(shelf) == ["shop", "store"]
    stock.unlink()
    assert names(shelf) == ["shop"]
