"""Roll-ups that are missing or that miss entries: what to add so that sums of roll-ups are sums of entries."""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from sereno_slo.history.slots import Slot

# A live roll-up sums the entries of up to 30 minutes before it (plan/ledger.py).
_MOST_SLOTS_CAUGHT_UP = 6
# Sums of floating-point numbers that differ by less are the same.
_ABSOLUTE_TOLERANCE = 1e-6
_RELATIVE_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class _Balance:
    """What one slot has."""

    slot: Slot
    entries: float
    has_entries: bool
    has_new_entries: bool
    summed: float
    has_roll_up: bool


def missing_roll_ups(
    slots: Sequence[Slot],
    entries: Mapping[int, float],
    new: Collection[int],
    roll_ups: Mapping[int, float],
    end_ms: int,
) -> dict[int, float]:
    """What to add to the roll-ups, by moment: after it the roll-ups of each slot sum up to its entries.

    `entries` are all entries, repaired ones included, `new` the moments of those. A roll-up that exists can't be
    changed: what it lacks (or has too much, because it caught up what is rolled up in its own slot now) lies a few
    milliseconds before it, so that no window has the one without the other. Slots that were caught up by a later
    roll-up, and that a repair doesn't touch, stay as they are. Nothing is added after `end_ms`.
    """
    balances = _balances(slots, entries, new, roll_ups)
    added: dict[int, float] = {}
    begin = 0
    for index, balance in enumerate(balances):
        if balance.has_roll_up:
            _settle(balances[begin : index + 1], roll_ups, added, end_ms)
            begin = index + 1
    _settle(balances[begin:], roll_ups, added, end_ms)
    return added


def _balances(
    slots: Sequence[Slot], entries: Mapping[int, float], new: Collection[int], roll_ups: Mapping[int, float]
) -> list[_Balance]:
    entry, fresh, roll_up = _Sums(entries), _Sums(dict.fromkeys(new, 0.0)), _Sums(roll_ups)
    return [
        _Balance(
            slot,
            entry.within(slot),
            entry.count(slot) > 0,
            fresh.count(slot) > 0,
            roll_up.within(slot),
            roll_up.count(slot) > 0,
        )
        for slot in slots
    ]


class _Sums:
    """Sums over slots of what happened at moments."""

    def __init__(self, values: Mapping[int, float]) -> None:
        self._moments = sorted(values)
        self._until = list(accumulate((values[moment] for moment in self._moments), initial=0.0))

    def count(self, slot: Slot) -> int:
        return bisect_right(self._moments, slot.at_ms) - bisect_right(self._moments, slot.after_ms)

    def within(self, slot: Slot) -> float:
        until = self._until
        return until[bisect_right(self._moments, slot.at_ms)] - until[bisect_right(self._moments, slot.after_ms)]


def _settle(stretch: Sequence[_Balance], roll_ups: Mapping[int, float], added: dict[int, float], end_ms: int) -> None:
    """Slots without a roll-up, and the one that ends them."""
    if stretch and stretch[-1].slot.at_ms > end_ms:
        # The roll-up that ends them can't be corrected yet: what it may have caught up has to wait for a later run.
        settled = stretch[:-_MOST_SLOTS_CAUGHT_UP] if stretch[-1].has_roll_up else stretch
        stretch = [balance for balance in settled if balance.slot.at_ms <= end_ms]
    entries, summed = sum(balance.entries for balance in stretch), sum(balance.summed for balance in stretch)
    if _same(entries, summed) and not any(balance.has_new_entries for balance in stretch):
        return
    for index, balance in enumerate(stretch):
        at_ms = balance.slot.at_ms
        if balance.has_roll_up:
            if not _same(balance.entries, balance.summed):
                added[_free_before(at_ms, roll_ups)] = balance.entries - balance.summed
        elif balance.has_entries:
            # Where a series ended, the next slot may hold the invisible marker of its end.
            added[at_ms if index else at_ms - 1] = balance.entries


def _same(one: float, other: float) -> bool:
    return abs(one - other) <= max(_ABSOLUTE_TOLERANCE, _RELATIVE_TOLERANCE * abs(one))


def _free_before(at_ms: int, taken: Mapping[int, float]) -> int:
    """The last free moment that is at least two milliseconds before: the first is for slots after a series' end."""
    moment = at_ms - 2
    while moment in taken:
        moment -= 1
    return moment
