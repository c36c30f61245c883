"""A slow fault in simulated time: recorded from the real system, judged by a real Prometheus, told by Alertmanager.

`python -m benchmarks.stories` tells those of all systems; here is one, because each takes minutes.
"""

from dataclasses import replace
from pathlib import Path

import pytest
from sereno_cli.demo.systems import System, read_system
from sereno_cli.demo.world import running_world
from support.timing import takes_long

from benchmarks.stories import slow_faults, tell_slow_stories
from benchmarks.stories.story import SlowStory
from benchmarks.stories.telling import Notified

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.story
@takes_long
@pytest.mark.xdist_group("stories")
@pytest.mark.timeout(840)
def test_a_trickle_of_errors_is_a_ticket_after_hours_and_no_page(tmp_path: Path) -> None:
    """One request in 250 fails: nobody is woken, the ticket comes within a day, and it ends after the cure."""
    system = read_system(REPOSITORY / "systems" / "transactions-api")
    assert isinstance(system, System)
    with running_world(REPOSITORY, tmp_path / "state", print, systems=["transactions-api"]) as world:
        (story,) = tell_slow_stories(world, slow_faults([system]), print)
    assert story.mistakes() == ()
    assert story.hours_to_alert is not None
    assert 6 < story.hours_to_alert < 30
    assert story.hours_to_end is not None
    assert story.hours_to_end < 12


def test_a_page_is_a_mistake_where_a_ticket_is_expected() -> None:
    """Also one of the same SLO."""
    system = read_system(REPOSITORY / "systems" / "transactions-api")
    assert isinstance(system, System)
    ((_, fault),) = slow_faults([system])
    ticket = {"alertname": fault.expects.alert, "severity": "warning", **fault.expects.labels}
    told = Notified((ticket,), all_resolved=True)
    story = SlowStory(system.name, fault, 18.0, 3.0, (), told)
    assert story.mistakes() == ()
    page = ticket | {"severity": "critical"}
    (mistake,) = replace(story, notified=Notified((ticket, page), all_resolved=True)).mistakes()
    assert "another page" in mistake
