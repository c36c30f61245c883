"""Five rounds of benchmarks/durability with every kind of fault, against the real server."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from support.elasticsearch import ElasticsearchServer

from benchmarks.durability.oracle import judge
from benchmarks.durability.plan import Fault, Plan, planned, random_plan
from benchmarks.durability.rounds import run_round

SECONDS = 4.0
SMALL_QUEUE_ROUND = 2
ROUNDS = (
    [Fault.COLLECTOR_KILLED_TWICE, Fault.SLOW, Fault.TOO_LARGE],
    [Fault.SERVER_KILLED, Fault.COLLECTOR_KILLED],
    [Fault.FLOOD_STAGE, Fault.EMITTER_KILLED, Fault.REFUSED],
    [Fault.SERVER_RESTARTED, Fault.CUT_REQUEST],
    [Fault.SERVER_FROZEN, Fault.ROLLOVER, Fault.CUT_ANSWER, Fault.SWALLOW_ANSWER],
)


@pytest.mark.elasticsearch
@pytest.mark.xdist_group("elasticsearch")
@pytest.mark.parametrize("seed", range(len(ROUNDS)))
def test_every_emitted_line_is_there_once_whatever_strikes(
    seed: int, elasticsearch: ElasticsearchServer, tmp_path: Path
) -> None:
    """Each line whose log call returned is indexed once or dead-lettered once."""
    verdict = run_round(_plan(seed), elasticsearch, tmp_path)
    assert verdict.emitted
    assert not verdict.lost
    assert not verdict.twice


def _plan(seed: int) -> Plan:
    return replace(planned(seed, ROUNDS[seed], seconds=SECONDS), small_queue=seed == SMALL_QUEUE_ROUND)


def test_the_rounds_have_every_fault() -> None:
    """A kind of fault that is added to the engine has to be added to a round here."""
    assert {fault for faults in ROUNDS for fault in faults} == set(Fault)


def test_the_rounds_have_every_circumstance() -> None:
    """Poison, clock jumps, small queues and both rotations happen in the rounds of these seeds."""
    plans = [_plan(seed) for seed in range(len(ROUNDS))]
    assert any(plan.poison for plan in plans)
    assert any(plan.clock_jumps for plan in plans)
    assert any(plan.small_queue for plan in plans)
    assert {rotation for plan in plans for rotation in plan.rotations} == {"none", "rename", "copytruncate"}


def test_a_seed_is_a_plan() -> None:
    """The same seed makes the same plan, so that a failed round can be run again."""
    assert random_plan(7) == random_plan(7)


@pytest.mark.parametrize(
    ("indexed", "dead", "lost", "twice"),
    [
        ({("a-1", 1): 1, ("a-1", 2): 1}, {}, (), ()),
        ({("a-1", 1): 1}, {("a-1", 2): 1}, (), ()),
        ({("a-1", 1): 1}, {}, (("a-", 2),), ()),
        ({("a-1", 1): 2, ("a-1", 2): 1}, {}, (), (("a-", 1),)),
        ({("a-1", 1): 1, ("a-1", 2): 1}, {("a-1", 2): 1}, (), (("a-", 2),)),
        ({("a-1", 1): 1, ("a-1", 2): 1, ("a-1", 3): 1}, {}, (), ()),
    ],
    ids=["whole", "one dead", "one lost", "one twice", "indexed and dead", "one that the journal had not noted"],
)
def test_the_judge_sees_what_is_lost_and_what_is_twice(
    indexed: dict[tuple[str, int], int],
    dead: dict[tuple[str, int], int],
    lost: tuple[tuple[str, int], ...],
    twice: tuple[tuple[str, int], ...],
) -> None:
    """A line is lost when it is nowhere, and twice when it is in two places or two documents."""
    verdict = judge({"a-": 2}, Counter(indexed), Counter(dead))
    assert (verdict.lost, verdict.twice) == (lost, twice)
