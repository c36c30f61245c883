"""Which deployments count as failed, by which rule, with which evidence."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sereno_backends.devops import DevOpsEvent, IncidentAction, RunStatus
from sereno_exporters.dora.history import fold
from sereno_exporters.dora.policy import DEFAULT_POLICY, DoraPolicy
from sereno_exporters.dora.rules import Rule
from sereno_exporters.dora.verdicts import JudgedDeployment, Verdict, judged
from support.dora import DAY, at, deployment, figures_of, incident, resolved, sha, told, verdicts

LATER = 20 * DAY


def test_a_deployment_that_an_incident_names_failed_however_late() -> None:
    """People's word outranks every distance in time, and other deployments in between."""
    events = [
        deployment("1", 0, "a"),
        deployment("2", 60, "b"),
        incident("I7", 5 * DAY, deployment_id="1", title="carts empty"),
        resolved("I7", 5 * DAY + 90),
    ]
    found = verdicts(events, LATER)
    assert (found["1"].verdict, found["1"].rule, found["2"].verdict) == (Verdict.FAILED, Rule.NAMED, Verdict.WELL)
    check = found["1"].checks[0]
    assert check.text == "incident I7 (carts empty) named it as the cause"
    assert [(each.at, each.text, each.event_id) for each in check.evidence] == [
        (at(5 * DAY), "incident I7 (carts empty) began", events[2].event_id),
        (at(5 * DAY), "incident I7 (carts empty) names 1", events[2].event_id),
        (at(5 * DAY + 90), "incident I7 (carts empty) was resolved", events[3].event_id),
    ]
    assert found["1"].restore_seconds == 90 * 60


def test_an_incident_began_when_any_of_its_events_says_so() -> None:
    """Its end repeats its beginning: the event that opened it is the evidence; without that one, the end is."""
    begun = at(DAY)
    opened, ended = incident("I1", DAY, opened_at=begun), resolved("I1", DAY + 30, opened_at=begun)
    deployments = [deployment("1", DAY - 5, "a")]
    for events, evidence in (([opened, ended], opened), ([ended], ended)):
        (found,) = verdicts([*deployments, *events], LATER).values()
        assert (found.rule, found.restore_seconds) == (Rule.FOLLOWED, 30 * 60)
        assert found.checks[3].evidence[0].event_id == evidence.event_id


@pytest.mark.parametrize("named", ["whole", "short"])
def test_a_named_commit_means_its_last_deployment_before_the_incident(named: str) -> None:
    """The same commit deployed twice: the one that was live is meant; an abbreviated commit will do."""
    commit = sha("a") if named == "whole" else sha("a")[:9]
    events = [
        deployment("1", 0, "a"),
        deployment("2", 60, "b"),
        deployment("3", 3 * DAY, "a", is_rollback=False),
        deployment("4", 9 * DAY, "a"),
        incident("I1", 4 * DAY, deployment_sha=commit),
    ]
    assert {number for number, each in verdicts(events, LATER).items() if each.rule is Rule.NAMED} == {"3"}


def test_an_incident_that_names_something_unknown_blames_nothing_else() -> None:
    """What is named isn't here, so nobody guesses."""
    events = [deployment("1", 0, "a"), incident("I1", 5, deployment_id="99")]
    assert verdicts(events, LATER)["1"].verdict is Verdict.WELL


def test_an_id_that_two_repositories_share_is_the_incidents_own() -> None:
    """Run numbers repeat: the incident's own repository is meant, else its service, else nothing."""
    other = {"repository": "acme/stock", "service": "stock"}
    strange = {"repository": "acme/mail", "service": "mail"}
    events = [
        deployment("1", 0, "a"),
        deployment("1", 0, "s", envelope=other),
        incident("I1", DAY * 2, deployment_id="1"),
    ]
    rules = {(each.run.key.repository, each.rule) for each in _all(events)}
    assert rules == {("acme/shop", Rule.NAMED), ("acme/stock", None)}
    elsewhere = told(2 * DAY, events[-1].subject, **strange)  # type: ignore[arg-type]
    assert {each.rule for each in _all([*events[:2], elsewhere])} == {None}
    assert {each.rule for each in _all([events[0], elsewhere])} == {Rule.NAMED}


@pytest.mark.parametrize(
    ("second", "minutes", "rule"),
    [
        ({"commit": "a"}, 20, Rule.ROLLED_BACK),
        ({"commit": "z", "is_rollback": True}, 20, Rule.ROLLED_BACK),
        ({"commit": "a", "is_rollback": False}, 20, None),
        ({"commit": "a"}, 25 * 60, None),
        ({"commit": "b"}, 20, None),
        ({"commit": "c"}, 20, None),
        ({"commit": "c", "is_unplanned": True}, 20, Rule.HOTFIXED),
        ({"commit": "c", "is_unplanned": True}, 25 * 60, None),
    ],
)
def test_taken_back_or_mended_soon(second: dict[str, object], minutes: float, rule: Rule | None) -> None:
    """An earlier commit or a rollback within 24 h, or an unplanned one; other next deployments say nothing."""
    events = [deployment("1", 0, "a"), deployment("2", 3 * DAY, "b"), deployment("3", 3 * DAY + minutes, **second)]  # type: ignore[arg-type]
    found = verdicts(events, LATER)
    assert (found["2"].rule, found["1"].verdict) == (rule, Verdict.WELL)
    if rule is not None:
        assert found["2"].restore_seconds == minutes * 60
        assert [each.event_id for check in found["2"].checks for each in check.evidence] == [events[2].event_id]


def test_going_on_after_a_rollback_takes_nothing_back() -> None:
    """What was taken away and is deployed again is newer than what the rollback brought: only the first try failed."""
    events = [deployment(str(number), 60 * number, commit) for number, commit in enumerate("abab")]
    found = verdicts(events, LATER)
    assert {number: each.rule for number, each in found.items()} == {
        "0": None,
        "1": Rule.ROLLED_BACK,
        "2": None,
        "3": None,
    }
    assert [number for number, each in found.items() if each.rework is not None] == ["2"]


def test_a_rollback_over_several_deployments_is_one() -> None:
    """The one that was live is taken back, whatever lies between."""
    found = verdicts([deployment(str(number), 60 * number, commit) for number, commit in enumerate("abca")], LATER)
    assert [number for number, each in found.items() if each.rule is Rule.ROLLED_BACK] == ["2"]


def test_an_older_commit_of_another_repository_takes_nothing_back() -> None:
    """A service of two repositories: each replaces its own deployments only."""
    other = {"repository": "acme/shop-web"}
    events = [
        deployment("1", 0, "a"),
        deployment("2", 60, "w", envelope=other),
        deployment("3", 120, "a"),
    ]
    assert {each.verdict for each in verdicts(events, LATER).values()} == {Verdict.WELL}


@pytest.mark.parametrize(
    ("minutes", "said", "failed"),
    [
        (59, {}, {"2"}),
        (60, {"environment": "production"}, {"2"}),
        (61, {}, set()),
        (30, {"environment": "staging"}, set()),
        (-1, {}, set()),
    ],
)
def test_an_incident_soon_after_is_put_down_to_the_last_deployment(
    minutes: float, said: dict[str, str], failed: set[str]
) -> None:
    """Within an hour, of the same service and environment, and only to the deployment right before it."""
    events = [deployment("1", 0, "a"), deployment("2", 2 * DAY, "b"), incident("I1", 2 * DAY + minutes, **said)]  # type: ignore[arg-type]
    found = verdicts(events, LATER)
    assert {number for number, each in found.items() if each.verdict is Verdict.FAILED} == failed


def test_a_deployment_in_between_takes_the_blame() -> None:
    """Ten minutes after the second and fifteen after the first, it is the second's."""
    events = [deployment("1", 0, "a"), deployment("2", 5, "b"), incident("I1", 15)]
    found = verdicts(events, LATER)
    assert (found["1"].verdict, found["2"].rule) == (Verdict.WELL, Rule.FOLLOWED)
    assert found["2"].checks[3].text == (
        "incident I1 began 10 min after it (within 1 h), no other deployment in between"
    )


def test_a_verdict_is_open_until_time_has_told() -> None:
    """Nothing speaks against it yet: open for as long as a rule could still hold, or until the next deployment."""
    first = [deployment("1", 0, "a")]
    assert verdicts(first, 59)["1"].verdict is Verdict.OPEN
    told = [check.text for check in verdicts(first, 59)["1"].checks if check.holds is None]
    assert any(text.startswith("not taken back within 24 h so far; it is decided at ") for text in told), told
    assert verdicts(first, DAY - 1)["1"].verdict is Verdict.OPEN
    assert verdicts(first, DAY)["1"].verdict is Verdict.WELL
    assert verdicts([*first, deployment("2", 30, "b")], 31)["1"].verdict is Verdict.WELL
    assert verdicts([*first, incident("I1", 5)], 6)["1"].verdict is Verdict.FAILED


def test_open_deployments_count_neither_way() -> None:
    """One failed, one went well, one is too young: half of those that are known failed."""
    events = [deployment("1", 0, "a"), incident("I1", 9), deployment("2", DAY, "b"), deployment("3", 2 * DAY, "c")]
    found = figures_of(events, 2 * DAY + 5)
    assert found.verdicts == {Verdict.FAILED: 1, Verdict.WELL: 1, Verdict.OPEN: 1}
    assert (found.deployments, found.change_failure_ratio) == (3, 0.5)


def test_what_failed_to_go_out_is_no_change_failure() -> None:
    """It is counted apart, once, and not at all when it succeeded in the end or went elsewhere."""
    failed = RunStatus.FAILED
    events = [
        deployment("1", 0, "a", status=failed),
        deployment("1", 0, "a", status=failed, url="told twice"),
        deployment("2", 10, "a", status=failed),
        deployment("2", 20, "a"),
        deployment("3", 30, "a", status=failed, environment="staging"),
        deployment("4", 40, "a", status=RunStatus.CANCELLED),
    ]
    found = figures_of(events, DAY * 3)
    assert (found.deployments, found.unsuccessful, found.change_failure_ratio) == (1, 1, 0.0)


def test_other_numbers_of_the_rules_give_other_verdicts() -> None:
    """Policy is data: what a team writes into the configuration decides."""
    events = [deployment("1", 0, "a"), incident("I1", 90)]
    assert verdicts(events, LATER)["1"].verdict is Verdict.WELL
    found = verdicts(events, LATER, DoraPolicy(incident_within=timedelta(hours=2)))
    assert found["1"].rule is Rule.FOLLOWED


def test_time_to_restore_ends_when_people_say_so() -> None:
    """An incident that is opened again isn't over; without any incident, the rollback is the end."""
    events = [
        deployment("1", 0, "a"),
        deployment("2", DAY, "b"),
        incident("I1", DAY + 10),
        deployment("3", DAY + 20, "a", is_rollback=True),
        resolved("I1", DAY + 40),
    ]
    assert verdicts(events, LATER)["2"].restore_seconds == 30 * 60
    again = incident("I1", DAY + 50, IncidentAction.REOPENED)
    assert verdicts([*events, again], LATER)["2"].restore_seconds is None
    found = figures_of([*events, again], LATER)
    assert (found.restore_seconds, found.unrestored) == ((), 1)
    assert verdicts([*events, again, resolved("I1", DAY + 70)], LATER)["2"].restore_seconds == 60 * 60


@pytest.mark.parametrize(
    ("third", "is_rework"),
    [
        ({"minutes": DAY + 20, "commit": "c"}, True),  # while the incident is open
        ({"minutes": DAY + 20, "commit": "a"}, True),  # takes it back
        ({"minutes": DAY + 20, "commit": "c", "is_unplanned": False}, False),  # who knows says no
        ({"minutes": DAY + 50, "commit": "c"}, False),  # when it is over
        ({"minutes": DAY + 50, "commit": "c", "is_unplanned": True}, True),
    ],
)
def test_rework_is_unplanned_repair(third: dict[str, object], *, is_rework: bool) -> None:
    """Told by the provider, a rollback, or out while an incident of its own service was open."""
    events = [
        deployment("1", 0, "a"),
        deployment("2", DAY, "b"),
        incident("I1", DAY + 10),
        resolved("I1", DAY + 40),
        deployment("3", **third),  # type: ignore[arg-type]
    ]
    found = verdicts(events, LATER)
    assert {number: each.rework is not None for number, each in found.items()} == {
        "1": False,
        "2": False,
        "3": is_rework,
    }
    assert figures_of(events, LATER).rework_ratio == pytest.approx(is_rework / 3)


@pytest.mark.parametrize(("started", "is_rework"), [(DAY - 5, False), (DAY + 5, True)])
@pytest.mark.parametrize("is_told_at_the_end", [True, False])
def test_what_was_going_out_when_an_incident_began_is_no_repair(
    started: float, *, is_rework: bool, is_told_at_the_end: bool
) -> None:
    """Only what began to go out afterwards answers it; a try before that failed is no beginning of this one."""
    begun = [] if is_told_at_the_end else [deployment("2", started, "b", status=RunStatus.RUNNING)]
    said: dict[str, Any] = {"started_at": at(started)} if is_told_at_the_end else {}
    events = [
        deployment("1", 0, "a"),
        deployment("2", DAY - 9, "b", status=RunStatus.RUNNING),
        deployment("2", DAY - 8, "b", status=RunStatus.FAILED),
        incident("I1", DAY),
        *begun,
        deployment("2", DAY + 10, "b", **said),
    ]
    assert (verdicts(events, LATER)["2"].rework is not None) is is_rework


def test_an_unknown_id_beside_a_known_commit_names_the_commit() -> None:
    """Whoever gives both is understood by the one that is known."""
    events = [
        deployment("1", 0, "a"),
        deployment("2", 60, "b"),
        incident("I1", 2 * DAY, deployment_id="99", deployment_sha=sha("a")),
    ]
    assert [number for number, each in verdicts(events, LATER).items() if each.rule is Rule.NAMED] == ["1"]


def test_what_an_incident_names_is_no_repair_of_it() -> None:
    """Clocks differ: an incident that began before the deployment that it names doesn't make that one rework."""
    events = [deployment("1", 0, "a"), deployment("2", DAY, "b"), incident("I1", DAY - 2, deployment_id="2")]
    (_, second) = verdicts(events, LATER).values()
    assert (second.rule, second.rework) == (Rule.NAMED, None)


def _all(events: Sequence[DevOpsEvent]) -> tuple[JudgedDeployment, ...]:
    return judged(fold(events), DEFAULT_POLICY, at(LATER))
