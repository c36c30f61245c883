"""One fault of a story, step by step, with a switchboard that writes down and incidents that the test tells."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sereno_cli.demo.chapter import Chapter, Story, StoryFailed
from sereno_cli.demo.systems import Fault
from sereno_cli.demo.systems.model import Done, Expectation

REPOSITORY = Path(__file__).resolve().parents[3]
NOTES = {
    "summary": "Redis is down",
    "impact": "Events wait",
    "description": "For three minutes",
    "runbook_url": "https://x/runbooks/RedisDown.md",
}


@dataclass
class Switchboard:
    """What was switched, in order."""

    deeds: list[str] = field(default_factory=list)

    def on(self, fault: Fault) -> None:
        """Write it down."""
        self.deeds.append(f"{fault.name} on")

    def off(self, fault: Fault) -> None:
        """Write it down."""
        self.deeds.append(f"{fault.name} off")


def incident(status: str = "open", **notes: str) -> dict[str, Any]:
    """The receiver's record of the expected alert."""
    labels = {"alertname": "RedisDown", "severity": "critical", "system": "fitness"}
    alert = {"name": "RedisDown", "labels": labels, "annotations": {**NOTES, **notes}}
    return {"incident_id": "2026-11-27-redis", "status": status, "alerts": [alert], "notifications": [{}]}


def chapter_of(board: Switchboard, *, hold_seconds: float = 0.0) -> Chapter:
    """Of a fault that no SLO tells of, so that no Prometheus is asked."""
    expected = Expectation("RedisDown", "critical", {"system": "fitness"})
    fault = Fault("redis-gone", Done("redis", "stop"), "Redis is gone", expected)
    world: Any = SimpleNamespace(services=(), switchboard=board, places=SimpleNamespace(root=REPOSITORY))
    client, system = cast("Any", None), cast("Any", SimpleNamespace(name="fitness"))
    return Chapter(Story(world, client, lambda _: None, datetime.now(UTC), hold_seconds), system, fault)


def test_a_fault_is_mended_as_soon_as_it_has_paged() -> None:
    """Not before, and not because of somebody else's incident."""
    board = Switchboard()
    chapter = chapter_of(board)
    chapter.look([])
    other = incident()
    other["alerts"][0]["labels"]["system"] = "etl"
    chapter.look([other])
    assert board.deeds == ["redis-gone on"]
    chapter.look([incident()])
    assert board.deeds == ["redis-gone on", "redis-gone off"]
    assert chapter.awaited == "the incident is resolved"


def test_a_fault_that_is_held_stays_on_though_it_has_paged(monkeypatch: pytest.MonkeyPatch) -> None:
    """For as long as was said; what the record says by then is what a drill reports."""
    board = Switchboard()
    chapter = chapter_of(board, hold_seconds=300)
    chapter.look([])
    chapter.look([incident()])
    chapter.look([incident(summary="Redis is still down")])
    assert board.deeds == ["redis-gone on"]
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 301)
    chapter.look([incident(summary="Redis is down for long")])
    assert board.deeds == ["redis-gone on", "redis-gone off"]
    assert chapter.incident["alerts"][0]["annotations"]["summary"] == "Redis is down for long"
    assert chapter.on_at is not None
    assert chapter.off_at is not None
    assert chapter.off_at - chapter.on_at < timedelta(seconds=60)


@pytest.mark.parametrize(
    ("later", "why"),
    [
        ([incident("resolved")], "was resolved while the fault was on"),
        (
            [incident(), incident() | {"incident_id": "redis-2"}],
            "paged a second time, as redis-2",
        ),
    ],
    ids=["it ends", "it comes again"],
)
def test_one_fault_that_is_held_is_one_page(later: list[dict[str, Any]], why: str) -> None:
    """Neither may its incident end before it is mended, nor another one begin."""
    chapter = chapter_of(Switchboard(), hold_seconds=300)
    chapter.look([])
    chapter.look([incident()])
    with pytest.raises(StoryFailed, match=why):
        chapter.look(later)


def test_what_does_not_come_in_time_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what was waited for."""
    chapter = chapter_of(Switchboard())
    chapter.look([])
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 1000)
    with pytest.raises(StoryFailed, match=r"fitness/redis-gone: not observed in time: RedisDown.* arrives"):
        chapter.look([])


@pytest.mark.parametrize(
    ("notes", "mistake"),
    [
        ({"impact": ""}, "impact is empty"),
        ({"description": "{{ $value }}"}, "a template that failed"),
        ({"runbook_url": "https://x/runbooks/None.md"}, "no runbook None.md"),
    ],
)
def test_a_page_that_can_not_be_acted_on_is_none(notes: dict[str, str], mistake: str) -> None:
    """What it lacks is named."""
    chapter = chapter_of(Switchboard())
    chapter.look([])
    with pytest.raises(StoryFailed, match=mistake):
        chapter.look([incident(**notes)])
