"""When entries and roll-ups ought to be: the moments at which rules were evaluated, and those at which they weren't.

A rule group is evaluated in a fixed phase, which changes with its name or its file. What a repair writes for a slot
lies at the slot or up to `MOST_SHIFT_MS` before it, where no evaluation ever writes.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MINUTE_MS = 60_000
FIVE_MINUTES_MS = 5 * MINUTE_MS
MOST_SHIFT_MS = 10
# Evaluations keep their phase to the millisecond; what is less than this is no time to repair.
_TOLERANCE_MS = 1_000


@dataclass(frozen=True, slots=True)
class Span:
    """What to repair: after `start_ms` up to `end_ms`; what was recorded from then up to `now_ms` is looked at only."""

    start_ms: int
    end_ms: int
    now_ms: int


@dataclass(frozen=True, slots=True)
class Slot:
    """The time after `after_ms` up to `at_ms`; shorter than its fellows only where the phase changed."""

    after_ms: int
    at_ms: int

    @property
    def length_ms(self) -> int:
        """How long it is."""
        return self.at_ms - self.after_ms


def slots(recorded: Iterable[int], interval_ms: int, start_ms: int, end_ms: int) -> tuple[Slot, ...]:
    """Every slot that ends after `start_ms` and not after `end_ms`: recorded ones, and those that fill the holes.

    A hole is filled backwards from what was recorded after it: that entry sees exactly one interval, so the one before
    it has to end where it begins. Without anything recorded after it, it is filled forwards; without anything at all,
    slots end at multiples of the interval.
    """
    ends = _filled(evaluations(recorded, interval_ms), interval_ms, start_ms, end_ms)
    return tuple(
        Slot(before if _TOLERANCE_MS <= at - before < interval_ms - _TOLERANCE_MS else at - interval_ms, at)
        for before, at in zip([ends[0] - interval_ms, *ends] if ends else [], ends, strict=False)
        if start_ms < at <= end_ms
    )


def _filled(known: Sequence[int], interval_ms: int, start_ms: int, end_ms: int) -> list[int]:
    if not known:
        return list(range(start_ms - start_ms % interval_ms + interval_ms, end_ms + 1, interval_ms))
    ends: list[int] = []
    before = min(start_ms, known[0]) - interval_ms
    for moment in known:
        hole = range(moment - interval_ms, before + _TOLERANCE_MS - 1, -interval_ms)
        ends += [*reversed(hole), moment]
        before = moment
    return [*ends, *range(before + interval_ms, end_ms + 1, interval_ms)]


def evaluations(recorded: Iterable[int], interval_ms: int) -> list[int]:
    """The slots that what is recorded belongs to: a repair shortly before a slot is of that slot."""
    moments: list[int] = []
    for moment in sorted(set(recorded)):
        if moments and moment - moments[-1] <= MOST_SHIFT_MS:
            moments.pop()
        moments.append(moment)
    for index in range(len(moments) - 2, -1, -1):  # what follows tells the phase
        if 0 < moments[index + 1] - interval_ms - moments[index] <= MOST_SHIFT_MS:
            moments[index] = moments[index + 1] - interval_ms
    for index in range(1, len(moments)):  # and what goes before, where nothing follows
        if 0 < moments[index - 1] + interval_ms - moments[index] <= MOST_SHIFT_MS:
            moments[index] = moments[index - 1] + interval_ms
    return moments


def caught_up_by(minutes: Sequence[Slot], recorded: Sequence[int], missed: Sequence[int]) -> frozenset[int]:
    """The ends of those slots without a record whose events the rules have told in the first evaluation after them.

    They are in no entry, but in `missed`, and so in the roll-ups; to recompute them would count them twice.
    """
    caught_up: set[int] = set()
    is_told = False
    for slot in reversed(minutes):
        is_told = is_recorded(missed, slot.at_ms) or (is_told and not is_recorded(recorded, slot.at_ms))
        if is_told and not is_recorded(recorded, slot.at_ms):
            caught_up.add(slot.at_ms)
    return frozenset(caught_up)


def is_recorded(moments: Sequence[int], at_ms: int) -> bool:
    """Whether something is recorded for the slot that ends at `at_ms`; the moments are in order of time."""
    index = bisect_left(moments, at_ms - MOST_SHIFT_MS)
    return index < len(moments) and moments[index] <= at_ms
