"""One scenario under all policies, judged by both labels; and many of them on all cores."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

from benchmarks.alert_quality.judging import Verdict, judge
from benchmarks.alert_quality.labels import LABELS, labelled
from benchmarks.alert_quality.policies import POLICIES
from benchmarks.alert_quality.promises import (
    Blinding,
    Noise,
    OutageFound,
    blinding_by_bots,
    outages_found,
    told_without_evidence,
)
from benchmarks.alert_quality.scenarios import FAMILIES, Family, scenario
from benchmarks.alert_quality.world import Incident, World, make_world

TICKETS = "tickets"
JUDGEMENTS = (*LABELS, TICKETS)
"""Pages by two labels, tickets by the budget."""


@dataclass(frozen=True, slots=True)
class Month:
    """A scenario, and what each policy did in it."""

    family: str
    seed: int
    error_budget_ratio: float
    incidents: tuple[Incident, ...]
    verdicts: dict[tuple[str, str], Verdict]
    """By policy and judgement."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How one policy keeps the promises that no seed may break."""

    policy: str
    noise: tuple[Noise, ...]
    outages: tuple[OutageFound, ...]
    blinding: Blinding


def months(
    families: Sequence[Family], seeds: Sequence[int], policies: Sequence[str], progress: Callable[[str], None]
) -> tuple[Month, ...]:
    """Every family with every seed."""
    pairs = [(FAMILIES.index(family), seed) for family in families for seed in seeds]
    done = []
    with _processes() as pool:
        for month in pool.map(partial(_month, tuple(policies)), pairs):
            done.append(month)
            progress(f"{len(done)} of {len(pairs)} months: {month.family}, seed {month.seed}")
    return tuple(done)


def promises(policies: Sequence[str]) -> tuple[Kept, ...]:
    """What the policies make of the cases in `promises.py`."""
    with _processes() as pool:
        return tuple(pool.map(_kept, policies))


def _processes() -> ProcessPoolExecutor:
    # A forked child would inherit the threads of numerical libraries in an unknown state.
    return ProcessPoolExecutor(os.cpu_count(), get_context("spawn"))


def _month(policies: Sequence[str], pair: tuple[int, int]) -> Month:
    family, seed = pair
    world = make_world(scenario(FAMILIES[family], seed))
    verdicts = {(policy, judgement): verdict for policy in policies for judgement, verdict in _verdicts(world, policy)}
    of_world = world.scenario
    return Month(of_world.family, seed, of_world.error_budget_ratio, of_world.incidents, verdicts)


def _verdicts(world: World, policy: str) -> Iterator[tuple[str, Verdict]]:
    told, incidents = POLICIES[policy](world), labelled(world)
    for label in LABELS:
        yield label, judge(told.pages, [(incident, incident.page[label]) for incident in incidents])
    yield TICKETS, judge(told.tickets, [(incident, incident.ticket) for incident in incidents])


def _kept(policy: str) -> Kept:
    told = POLICIES[policy]
    return Kept(policy, told_without_evidence(told), tuple(outages_found(told)), blinding_by_bots(told))
