"""A repository whose dashboard has a panel of each kind, broken ones beside it, and the past that they show."""

import json
from collections.abc import Iterator
from pathlib import Path

from support.portal import END, ROOT
from support.prometheus import HistorySample

HOSTILE = ('"} or vector(99) #', "back\\slash", "a.*\"'`b", "line\nbreak", "plain")
"""Values of a label that somebody else chose, each with its place as its value."""
BUCKETS = ((0.1, 3), (0.5, 4), (1.0, 4), (float("inf"), 6))
"""What comes into each bucket in a minute, all smaller ones included."""
DEPLOYED = END - 600
MINUTES = 90
SHOWN = ROOT / "tests" / "portal" / "dashboards" / "shown.json"
"""The dashboard."""


def measured() -> Iterator[HistorySample]:
    """What the dashboard shows."""
    for minute in range(MINUTES + 1):
        at = END - 60 * (MINUTES - minute)
        for place, path in enumerate(HOSTILE):
            yield HistorySample("shown_requests", {"path": path}, at, place)
        for bound, count in BUCKETS:
            le = "+Inf" if bound == float("inf") else f"{bound}"
            yield HistorySample("shown_seconds_bucket", {"le": le}, at, count * minute)
        yield HistorySample("shown_deployed_seconds", {"version": "4711"}, at, DEPLOYED)
        if minute > MINUTES - 20:
            yield HistorySample("ALERTS", {"alertname": "Shown", "alertstate": "firing"}, at, 1)


def write_repository(root: Path) -> None:
    """The dashboards, and nothing else that a repository has."""
    folder = root / "dashboards" / "grafana" / "handwritten"
    folder.mkdir(parents=True)
    text = SHOWN.read_text(encoding="utf-8")
    odd = {**json.loads(text), "uid": "odd", "panels": [{"type": "stat", "gridPos": 7}]}
    for name, content in (
        ("shown", text),
        ("cut", '{"title": "Cut off", "panels": ['),
        ("odd", json.dumps(odd)),
        ("twice", text),
    ):
        (folder / f"{name}.json").write_text(content, encoding="utf-8")
