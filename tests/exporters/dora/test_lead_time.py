"""Which commits a deployment brought, and how long each had been waiting."""

from collections.abc import Iterable

import pytest
from sereno_backends.devops import Commit, DevOpsEvent, RunStatus
from support.dora import DAY, at, deployment, figures_of, push, sha, told, verdicts

LATER = 20 * DAY
BASE = (*push("base", 0, before=None), deployment("0", 1, "base"))


def waited(events: Iterable[DevOpsEvent]) -> dict[str, tuple[list[float], int]]:
    """By deployment: minutes from commit to production in ascending order, and how many commits nobody knows."""
    return {
        number: ([seconds / 60 for seconds in each.delivery.lead_seconds], each.delivery.unknown)
        for number, each in verdicts(events, LATER).items()
        if each.delivery.is_measured
    }


def test_what_was_pushed_since_the_deployment_before() -> None:
    """Several pushes later, all their commits are new; those that went out already aren't."""
    events = [
        *BASE,
        *push("c1 c2", 10, before="base"),
        *push("c3", 20, before="c2"),
        deployment("1", 30, "c3"),
        *push("c4", 40, before="c3"),
        deployment("2", 50, "c4"),
    ]
    assert waited(events) == {"1": ([10, 20, 20], 0), "2": ([10], 0)}


def test_a_commit_inside_a_push_brings_what_is_before_it_only() -> None:
    """A deployment of the second of three commits leaves the third for the next."""
    events = [*BASE, *push("c1 c2 c3", 10, before="base"), deployment("1", 20, "c2"), deployment("2", 30, "c3")]
    assert waited(events) == {"1": ([10, 10], 0), "2": ([20], 0)}


def test_the_first_known_deployment_measures_nothing() -> None:
    """What was there before isn't known, so neither is what was new, unless the provider tells."""
    history = (*push("c1", 0, before=None), *push("c2", 10, before="c1"))
    assert waited([*history, deployment("1", 30, "c2")]) == {}
    assert waited([*history, deployment("1", 30, "c2", previous_sha=sha("c1"))]) == {"1": ([20], 0)}
    assert waited([*history, deployment("1", 30, "c2", shas=(sha("c1"), sha("c2")))]) == {"1": ([20, 30], 0)}


def test_what_the_provider_lists_outranks_what_was_pushed() -> None:
    """Listed commits are what came; one that no push told is counted as unknown."""
    events = [
        *BASE,
        *push("c1 c2 c3", 10, before="base"),
        deployment("1", 20, "c3", shas=(sha("c2"), sha("c3"), sha("x"))),
        deployment("2", 25, "c3"),
    ]
    assert waited(events) == {"1": ([10, 10], 1), "2": ([], 0)}


def test_a_rollback_brings_nothing_and_the_way_back_neither() -> None:
    """Lead time is to the first deployment that has the commit."""
    events = [
        *BASE,
        *push("c1", 10, before="base"),
        deployment("1", 20, "c1"),
        deployment("2", 30, "base"),
        deployment("3", 40, "c1"),
    ]
    assert waited(events) == {"1": ([10], 0), "2": ([], 0), "3": ([], 0)}


def test_a_failed_deployment_delivers_nothing() -> None:
    """Commits wait until one succeeds; so do those of a staging environment."""
    events = [
        *BASE,
        *push("c1", 10, before="base"),
        deployment("1", 20, "c1", status=RunStatus.FAILED),
        deployment("2", 25, "c1", environment="staging"),
        deployment("3", 40, "c1"),
    ]
    assert waited(events) == {"3": ([30], 0)}


def test_the_deployed_branch_decides_over_a_commits_own_branch() -> None:
    """A commit that came by a branch of its own has that branch's past, which needn't be the deployed one's."""
    events = [
        *BASE,
        *push("w1 c1", 10, before="base", branch="feature"),
        *push("c1", 20, before="base"),
        deployment("1", 30, "c1", branch="main"),
    ]
    assert waited(events) == {"1": ([20], 0)}


def test_parents_are_followed_where_a_provider_tells_them() -> None:
    """Without any chain of pushes, parents say what is contained."""
    commits = [
        told(minute, Commit(sha(name), at(minute), "main", parents=tuple(map(sha, parents))))
        for minute, name, parents in ((2, "l", ["base"]), (3, "r", ["base"]), (4, "m", ["l", "r"]))
    ]
    assert waited([*BASE, *commits, deployment("1", 14, "m")]) == {"1": ([10, 11, 12], 0)}


def test_a_clock_that_is_wrong_makes_no_negative_time() -> None:
    """A commit that says that it was written after its deployment had waited for nothing."""
    events = [*BASE, *push("c1", 10, before="base", authored=99), deployment("1", 30, "c1")]
    assert waited(events) == {"1": ([0], 0)}


def test_each_environment_has_its_own_first_deployment() -> None:
    """Two regions, one after the other: the second one's users waited for longer."""
    events = [
        *push("base", 0, before=None),
        *(deployment(f"0{region}", 1, "base", environment=region) for region in ("prod-eu", "prod-us")),
        *push("c1", 10, before="base"),
        deployment("1", 20, "c1", environment="prod-eu"),
        deployment("2", 50, "c1", environment="prod-us"),
    ]
    assert waited(events) == {"1": ([10], 0), "2": ([40], 0)}


def test_a_large_push_is_followed_in_time_that_grows_with_its_size() -> None:
    """Ten thousand commits of one push, deployed from its middle and then from its end, are all counted."""
    names = " ".join(f"c{number}" for number in range(10_000))
    events = [*BASE, *push(names, 10, before="base"), deployment("1", 20, "c4999"), deployment("2", 30, "c9999")]
    assert {number: len(minutes) for number, (minutes, _) in waited(events).items()} == {"1": 5_000, "2": 5_000}


@pytest.mark.parametrize(("window", "commits"), [("7d", 1), ("30d", 2), ("90d", 3)])
def test_windows_hold_what_reached_production_in_them(window: str, commits: int) -> None:
    """A commit belongs to the window in which it was deployed, however long it had waited."""
    events = [
        *BASE,
        *push("c1", 10, before="base"),
        deployment("1", 20 * DAY, "c1"),
        *push("c2", 20, before="c1"),
        deployment("2", 80 * DAY, "c2"),
        *push("c3", 30, before="c2"),
        deployment("3", 99 * DAY, "c3"),
    ]
    assert len(figures_of(events, 100 * DAY, window).lead_seconds) == commits
