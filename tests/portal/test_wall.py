"""The wall: one state that is read from afar."""

from pathlib import Path

import httpx
from sereno_portal import PortalConfiguration
from sereno_postmortems.sources import DatabaseIncidents, HttpIncidents
from support.open_incidents import incidents_with
from support.portal import BURNING, END, OVERSPENT, ROOT, at, running_portal
from support.ports import free_port
from support.prometheus import RunningProcess

CALM = END - 1.5 * 86_400
"""No SLO needed somebody then."""


def test_the_wall_tells_what_burns(portal: httpx.Client) -> None:
    """How many need somebody, the worst first; dark, without navigation, and it looks again by itself."""
    told = portal.get("/api/v1/wall").json()
    assert (told["slos"], told["in_trouble"], told["paged"], told["unknown"]) == (26, 2, 2, 0)
    assert [(each["service"], each["slo"]) for each in told["worst"]] == [OVERSPENT, BURNING]
    page = portal.get("/wall").text
    assert "▲ 2 SLOs need somebody" in page
    assert "22:13" in page, "the clock"
    assert "<nav" not in page
    assert 'data-theme="dark"' in page
    assert 'data-reload="15"' in page


def told(configuration: PortalConfiguration) -> tuple[str, str]:
    """The wall's page and the overview."""
    with running_portal(configuration) as client:
        return client.get("/wall").text, client.get("/").text


def test_open_incidents_are_not_calm(past: RunningProcess, tmp_path: Path) -> None:
    """Whatever the SLOs say; nor is it known to be calm where incidents can't be read."""
    store = DatabaseIncidents(incidents_with(tmp_path / "i.sqlite"))
    for page in told(PortalConfiguration(past.url, ROOT, store, clock=at(CALM))):
        assert "One incident is open</h1>" in page
    nobody = HttpIncidents(f"http://127.0.0.1:{free_port()}")
    for page in told(PortalConfiguration(past.url, ROOT, nobody, clock=at(CALM))):
        assert "Nothing is known to be wrong</h1>" in page


def test_specs_with_mistakes_are_not_calm(past: RunningProcess, tmp_path: Path) -> None:
    """Nobody knows how the SLOs stand that they mean; what is wrong is told."""
    specs = tmp_path / "slo" / "specs"
    specs.mkdir(parents=True)
    right = (ROOT / "slo" / "specs" / "etl.slo.yaml").read_text(encoding="utf-8")
    (specs / "etl.slo.yaml").write_text(right, encoding="utf-8")
    for page in told(PortalConfiguration(past.url, tmp_path, clock=at(CALM))):
        assert "All is calm</h1>" in page
    (specs / "shop.slo.yaml").write_text("version: sereno/v1\nservice: shop\n", encoding="utf-8")
    for page in told(PortalConfiguration(past.url, tmp_path, clock=at(CALM))):
        assert "Nothing is known to be wrong</h1>" in page
        assert '<p class="notice">slo/specs/shop.slo.yaml:' in page
