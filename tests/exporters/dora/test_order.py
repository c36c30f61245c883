"""Late, double and out-of-order events: the figures are those of the run in order."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from sereno_backends.devops import DevOpsEvent, IncidentAction, RunStatus, event_id_of
from sereno_exporters.dora.history import DeliveryHistory, Folding, fold
from sereno_exporters.dora.policy import DEFAULT_POLICY
from sereno_exporters.dora.reading import HistoryReader, read_history
from sereno_exporters.dora.rules import Rule
from sereno_exporters.dora.snapshot import DoraSnapshot, snapshot_of
from sereno_exporters.dora.verdicts import JudgedDeployment, judged
from support.dora import DAY, at, delivered, deployment, incident, push, sha, store_with

NOW = at(40 * DAY)
COMMITS = [f"c{number}" for number in range(6)]
MINUTES = st.integers(0, 40).map(lambda slot: slot * 13.0)
MAYBE = st.none() | st.booleans()


def said(events: list[DevOpsEvent]) -> tuple[DoraSnapshot, tuple[JudgedDeployment, ...]]:
    """Everything that the events come to: figures, and each verdict with its evidence."""
    return shown(fold(events))


def shown(history: DeliveryHistory) -> tuple[DoraSnapshot, tuple[JudgedDeployment, ...]]:
    """The same of what is folded already."""
    return snapshot_of(history, DEFAULT_POLICY, NOW), judged(history, DEFAULT_POLICY, NOW)


pushes = st.builds(
    lambda first, length, minutes: push(
        " ".join(COMMITS[first : first + length]), minutes, before=COMMITS[first - 1] if first else None
    ),
    st.integers(0, 5),
    st.integers(1, 3),
    MINUTES,
)
deployments = st.builds(
    lambda number, minutes, commit, status, environment, is_rollback, is_unplanned: (
        deployment(
            number,
            minutes,
            commit,
            status=status,
            environment=environment,
            is_rollback=is_rollback,
            is_unplanned=is_unplanned,
        ),
    ),
    st.sampled_from(["1", "2", "3"]),
    MINUTES,
    st.none() | st.sampled_from(COMMITS),
    st.sampled_from([RunStatus.RUNNING, RunStatus.SUCCEEDED, RunStatus.SUCCEEDED, RunStatus.FAILED]),
    st.sampled_from(["production", "production", "prod-us", "staging"]),
    MAYBE,
    MAYBE,
)
incidents = st.builds(
    lambda number, minutes, action, deployment_id, environment: (
        incident(number, minutes, action, deployment_id=deployment_id, environment=environment),
    ),
    st.sampled_from(["I1", "I2"]),
    MINUTES,
    st.sampled_from(IncidentAction),
    st.none() | st.sampled_from(["1", "2", "99"]),
    st.sampled_from(["", "production"]),
)
worlds = st.lists(pushes | deployments | incidents, max_size=14).map(
    lambda groups: [event for group in groups for event in group]
)


PLACES = [("acme/shop", "checkout"), ("acme/shop", "web"), ("acme/stock", "checkout"), ("acme/stock", "stock")]


def moved(event: DevOpsEvent, place: tuple[str, str]) -> DevOpsEvent:
    """The same, told of another repository or mapped to another service."""
    repository, service = place
    event_id = event_id_of(event.source, repository, event.occurred_at, event.subject)
    return replace(event, event_id=event_id, delivery_id=event_id, repository=repository, service=service)


naming_commits = st.builds(
    lambda number, minutes, commit: (incident(number, minutes, deployment_sha=sha(commit)[:9]),),
    st.sampled_from(["I1", "I2"]),
    MINUTES,
    st.sampled_from(COMMITS),
)
listing = st.builds(
    lambda minutes, commits: (
        deployment("4", minutes, commits[-1], shas=tuple(map(sha, commits)), previous_sha=sha(commits[0])),
    ),
    MINUTES,
    st.lists(st.sampled_from(COMMITS), min_size=1, max_size=3),
)
several_services = st.lists(
    st.builds(
        lambda group, place: [moved(event, place) for event in group],
        pushes | deployments | incidents | naming_commits | listing,
        st.sampled_from(PLACES),
    ),
    max_size=20,
).map(lambda groups: [event for group in groups for event in group])


@st.composite
def deliveries_of(draw: st.DrawFn, events: list[DevOpsEvent]) -> list[DevOpsEvent]:
    """The same facts, some of them told again later by other deliveries, in any order."""
    again = draw(st.lists(st.sampled_from(events), max_size=6)) if events else []
    doubles = [
        replace(event, delivery_id=f"again {number}", received_at=event.received_at + timedelta(hours=1 + number))
        for number, event in enumerate(again)
    ]
    return draw(st.permutations([*events, *doubles]))


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_order_and_any_repetition_give_the_same(data: st.DataObject) -> None:
    """Figures, verdicts and their evidence depend on the set of facts, on nothing else."""
    events = data.draw(worlds)
    assert said(data.draw(deliveries_of(events))) == said(sorted(events, key=lambda event: event.occurred_at))


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_any_portions_fold_to_what_all_at_once_does(data: st.DataObject) -> None:
    """After each portion of events of several services, everything said is what one fold of the events so far says."""
    told = data.draw(deliveries_of(data.draw(several_services)))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(told)), max_size=6)))
    folding = Folding()
    for begin, end in zip([0, *cuts], [*cuts, len(told)], strict=True):
        folding.add(told[begin:end])
        assert shown(folding.history()) == said(told[:end])


def test_a_late_deployment_takes_the_blame_from_another() -> None:
    """An incident that was put down to one deployment is put down to the one in between as soon as that is told."""
    folding = Folding()
    folding.add([deployment("1", 0, "a"), incident("I1", 30)])
    before = judged(folding.history(), DEFAULT_POLICY, NOW)
    folding.add([deployment("2", 20, "b")])
    after = judged(folding.history(), DEFAULT_POLICY, NOW)
    assert [[each.rule for each in found] for found in (before, after)] == [[Rule.FOLLOWED], [None, Rule.FOLLOWED]]


def test_a_deployment_that_turns_out_to_be_anothers_delivered_nothing_here() -> None:
    """What was told earlier of another service takes a deployment and its commits away from this one."""
    events = [*push("base c1", 0, before=None), deployment("1", 1, "base"), deployment("2", 20, "c1")]
    elsewhere = replace(events[-1], service="web", received_at=at(-1))
    folding = Folding()
    folding.add(events)
    folding.history()
    folding.add([elsewhere])
    folding.history()
    folding.add([deployment("3", 40, "c1")])
    assert shown(folding.history()) == said([*events[:-1], elsewhere, deployment("3", 40, "c1")])


@given(st.data())
@settings(max_examples=15, deadline=None)
def test_any_portions_and_a_rebuilt_store_give_the_same(data: st.DataObject) -> None:
    """An exporter that read along, one that starts afterwards, and the events themselves agree."""
    events = data.draw(worlds)
    told = data.draw(deliveries_of(events))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(told)), max_size=3)))
    with TemporaryDirectory() as folder:
        store = store_with(Path(folder) / "devops.sqlite")
        along = HistoryReader(store)
        for begin, end in zip([0, *cuts], [*cuts, len(told)], strict=True):
            store.record(delivered(told[begin:end]))
            along.read()
        rebuilt = store_with(Path(folder) / "rebuilt.sqlite", sorted(events, key=lambda event: event.occurred_at))
        histories = [along.read(), read_history(store), read_history(rebuilt)]
    expected = said(events)[0]
    assert [snapshot_of(history, DEFAULT_POLICY, NOW) for history in histories] == [expected] * 3


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_counters_never_go_down_whatever_comes_late(data: st.DataObject) -> None:
    """One more fact, of whatever time, only ever adds to the numbers of ended deployments."""
    told = data.draw(deliveries_of([event for (event,) in data.draw(st.lists(deployments, max_size=12))]))
    before: dict[tuple[str, str, str], int] = {}
    for length in range(len(told) + 1):
        ended = snapshot_of(fold(told[:length]), DEFAULT_POLICY, NOW).ended
        now = {(*place, status.value): count for place, of in ended.items() for status, count in of.items()}
        assert all(now.get(key, 0) >= count for key, count in before.items())
        before = now


@given(worlds, MINUTES)
@settings(max_examples=100, deadline=None)
def test_leaving_out_what_is_old_changes_nothing_else(events: list[DevOpsEvent], minutes: float) -> None:
    """Judging only what is young enough for a window gives the same verdicts of it."""
    history = fold(events)
    every = judged(history, DEFAULT_POLICY, NOW)
    assert judged(history, DEFAULT_POLICY, NOW, since=at(minutes)) == tuple(
        each for each in every if each.deployed_at >= at(minutes)
    )


def test_of_one_moment_the_end_stands_last() -> None:
    """Events that share their time are read as what can only follow each other: begun, ended; opened, resolved."""
    events = [
        deployment("1", 0, "a"),
        deployment("1", 0, "a", status=RunStatus.RUNNING),
        incident("I1", 5),
        incident("I1", 5, IncidentAction.RESOLVED),
    ]
    for order in permutations(events):
        history = fold(order)
        assert [run.status for run in history.runs] == [RunStatus.SUCCEEDED]
        assert [each.resolved_at for each in history.services["checkout"].incidents] == [at(5)]
