"""How much of the window the ledger saw, and where it didn't."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby

from sereno_slo.duration import FIVE_MINUTES, MINUTE
from sereno_slo.explain.account import LAG_MS, SLOT_MS, Account, Points, moment
from sereno_slo.history.slots import Slot, is_recorded, slots

_SLOT_MINUTES = FIVE_MINUTES / MINUTE
# Less than this of a minute is no hole: one of many targets missed a scrape.
_LEAST_MINUTES = 0.5


class HoleCause(StrEnum):
    """Why minutes weren't seen."""

    NOT_EVALUATED = "rules weren't evaluated"
    NOT_SEEN = "targets didn't answer, or had no series"


@dataclass(frozen=True, slots=True)
class Hole:
    """A stretch in which minutes are missing; its edges are exact to the five minutes of a roll-up."""

    begin: datetime
    end: datetime
    missing_minutes: float
    cause: HoleCause


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the ledger saw of its window. Minutes of several targets count by the part of them that answered."""

    ratio: float
    """`sereno:coverage:ratio` as it was recorded: seen minutes of all of the window, or of those that passed."""
    seen_minutes: float
    window_minutes: float
    minutes_before_begin: float
    """Of a ledger that is younger than its window; 0 of others."""
    missed_evaluations: int
    """Of the roll-ups since it began."""
    holes: tuple[Hole, ...]
    """In order of time."""


def coverage_of(account: Account) -> Coverage:
    """The account's coverage, and its holes since the ledger began."""
    seen, whole = sum(account.covered_minutes.values()), account.window / MINUTE
    # What is rolled up in a slot was entered until a minute before its end.
    start_ms = account.start_ms if account.begun_ms is None else account.begun_ms + LAG_MS
    ends = slots({*account.marks, *account.all_events}, SLOT_MS, start_ms, account.evaluated_ms)
    recorded = sorted({*account.marks, *account.all_events})
    evaluated = [is_recorded(recorded, slot.at_ms) for slot in ends]
    return Coverage(
        seen / whole,
        seen,
        whole,
        0.0 if account.begun_ms is None else (start_ms - account.start_ms) / MINUTE.milliseconds,
        evaluated.count(False),
        tuple(_holes(ends, evaluated, account.covered_minutes, start_ms)),
    )


def _holes(ends: tuple[Slot, ...], evaluated: list[bool], covered: Points, start_ms: int) -> Iterator[Hole]:
    """Neighbouring slots that lack minutes. The first roll-up after a stop sums what was entered before it, too."""
    possible = (min(_SLOT_MINUTES, (slot.at_ms - start_ms) / MINUTE.milliseconds) for slot in ends)
    missing = [most - minutes for most, minutes in zip(possible, _by_slot(ends, covered), strict=True)]
    is_hole = [
        lacks >= _LEAST_MINUTES or not was_evaluated for lacks, was_evaluated in zip(missing, evaluated, strict=True)
    ]
    for lacks, group in groupby(range(len(ends)), key=lambda index: is_hole[index]):
        indices = list(group)
        # What a roll-up caught up belongs to the slots before it.
        after = indices[-1] + 1
        caught_up = max(0.0, -missing[after]) if after < len(missing) else 0.0
        minutes = sum(missing[index] for index in indices) - caught_up
        if lacks and minutes >= _LEAST_MINUTES:
            unevaluated = sum(not evaluated[index] for index in indices)
            cause = HoleCause.NOT_EVALUATED if 2 * unevaluated >= len(indices) else HoleCause.NOT_SEEN
            first, last = ends[indices[0]], ends[indices[-1]]
            yield Hole(moment(first.after_ms - LAG_MS), moment(last.at_ms - LAG_MS), minutes, cause)


def _by_slot(ends: tuple[Slot, ...], covered: Points) -> list[float]:
    """The minutes of each slot; what a repair wrote shortly before a slot's end is of that slot."""
    moments, sums = [slot.at_ms for slot in ends], [0.0] * len(ends)
    for at_ms, minutes in covered.items():
        index = bisect_left(moments, at_ms)
        if index < len(ends):
            sums[index] += minutes
    return sums
