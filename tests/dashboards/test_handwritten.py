"""What every dashboard by hand has in common: it can be provisioned, read and reviewed."""

import json
from pathlib import Path

import pytest
from support import grafana

ROOT = Path(__file__).resolve().parents[2]
ALL = sorted((ROOT / "dashboards/grafana").glob("*/*.json"))
HANDWRITTEN = [path for path in ALL if path.parent.name == "handwritten"]
each = pytest.mark.parametrize("path", HANDWRITTEN, ids=lambda path: path.stem)


@each
def test_every_panel_says_what_it_shows(path: Path) -> None:
    """Title, description and unit on each panel; no overlap; queries with the data source that is chosen."""
    dashboard = grafana.read(path.read_text(encoding="utf-8"))
    assert grafana.panels(dashboard)
    for panel in grafana.panels(dashboard):
        assert panel["title"]
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"]["uid"] == "${datasource}"
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


@each
def test_uid_title_and_panels_are_its_own(path: Path) -> None:
    """No other dashboard has its uid or title: a duplicate stops Grafana's provisioning."""
    dashboard = grafana.read(path.read_text(encoding="utf-8"))
    others = [json.loads(one.read_text(encoding="utf-8")) for one in ALL if one != path]
    assert dashboard["uid"] not in {one["uid"] for one in others}
    assert dashboard["title"] not in {one["title"] for one in others}
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    titles = [panel["title"] for panel in grafana.panels(dashboard)]
    assert len(titles) == len(set(titles))


@each
def test_the_file_is_reviewable(path: Path) -> None:
    """Keys sorted, two spaces, a line feed at the end, as Grafana's exports are not."""
    text = path.read_text(encoding="utf-8")
    assert text == json.dumps(grafana.read(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
