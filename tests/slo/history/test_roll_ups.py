"""Roll-ups that are missing or miss entries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sereno_slo.history.roll_ups import missing_roll_ups
from sereno_slo.history.slots import FIVE_MINUTES_MS, MINUTE_MS, Slot

SLOTS = [Slot(FIVE_MINUTES_MS * n, FIVE_MINUTES_MS * (n + 1)) for n in range(24)]
END = SLOTS[-1].at_ms


def live(entries: dict[int, float], evaluated: list[int]) -> dict[int, float]:
    """Roll-ups as the rules record them: each sums what is unsummed of the last 30 minutes."""
    sums: dict[int, float] = {}
    last = 0
    for at in evaluated:
        since = max(last, at - 30 * MINUTE_MS)
        sums[at] = sum(value for moment, value in entries.items() if since < moment <= at)
        last = at
    return sums


def at(slot: int, minute: int = 5) -> int:
    """The end of a minute of a slot."""
    return SLOTS[slot].after_ms + minute * MINUTE_MS


ENTRIES = {at(slot, minute): 10.0 for slot in range(24) for minute in range(1, 6)}


def test_nothing_is_added_to_a_ledger_that_is_whole() -> None:
    """Roll-ups that sum up to their entries stay alone, also where one has caught up those before it."""
    evaluated = [slot.at_ms for index, slot in enumerate(SLOTS) if index not in (5, 6, 7)]
    assert missing_roll_ups(SLOTS, ENTRIES, (), live(ENTRIES, evaluated), END) == {}


def test_a_hole_gets_its_own_roll_ups() -> None:
    """In a hole longer than a roll-up catches up each slot gets the sum of its entries."""
    hole = {moment for moment in ENTRIES if at(5) < moment <= at(15)}
    before = {moment: value for moment, value in ENTRIES.items() if moment not in hole}
    roll_ups = live(before, [slot.at_ms for index, slot in enumerate(SLOTS) if not 5 < index <= 15])
    added = missing_roll_ups(SLOTS, ENTRIES, hole, roll_ups, END)
    # The first slot of the hole may hold the marker of the series' end.
    assert added == {at(6) - 1: 50.0, **{at(index): 50.0 for index in range(7, 16)}}


def test_a_minute_that_was_missed_is_added_beside_its_roll_up() -> None:
    """A roll-up that exists gets what it lacks two milliseconds before it."""
    missed = at(9, 2)
    roll_ups = live({moment: value for moment, value in ENTRIES.items() if moment != missed}, [s.at_ms for s in SLOTS])
    assert missing_roll_ups(SLOTS, ENTRIES, {missed}, roll_ups, END) == {at(9) - 2: 10.0}


def test_what_was_caught_up_is_not_counted_twice() -> None:
    """Where a repair touches slots that a later roll-up has caught up, that roll-up is lowered by them."""
    missed = at(6, 3)
    before = {moment: value for moment, value in ENTRIES.items() if moment != missed}
    roll_ups = live(before, [slot.at_ms for index, slot in enumerate(SLOTS) if index not in (5, 6)])
    added = missing_roll_ups(SLOTS, ENTRIES, {missed}, roll_ups, END)
    assert added == {at(5) - 1: 50.0, at(6): 50.0, at(7) - 2: -90.0}


def test_zeros_are_written_where_entries_are_new() -> None:
    """Idle minutes that were recounted are seen as idle, not as unknown."""
    idle = dict.fromkeys(ENTRIES, 0.0)
    assert missing_roll_ups(SLOTS, idle, idle.keys(), {}, END) == {at(0) - 1: 0.0, **{at(n): 0.0 for n in range(1, 24)}}


def test_nothing_lies_after_the_end_and_what_may_be_caught_up_there_waits() -> None:
    """Slots that a roll-up after the end may have caught up are left to a later run, all others are settled."""
    roll_ups = live(
        {moment: value for moment, value in ENTRIES.items() if moment > at(19)}, [at(n) for n in range(20, 24)]
    )
    added = missing_roll_ups(SLOTS, ENTRIES, {m for m in ENTRIES if m <= at(16)}, roll_ups, at(16))
    assert max(added) == at(14)
    assert len(added) == 15


@given(
    st.dictionaries(st.sampled_from(sorted(ENTRIES)), st.floats(-5, 1e6, allow_nan=False), min_size=1),
    st.sets(st.sampled_from(sorted(ENTRIES))),
    st.sets(st.integers(0, 23)),
    st.integers(0, 23),
)
def test_two_runs_that_meet_somewhere_are_as_good_as_one(
    entries: dict[int, float], new: set[int], unevaluated: set[int], meeting: int
) -> None:
    """A run that ends anywhere, and a later one for the rest, leave sums of roll-ups that are sums of entries."""
    new &= entries.keys()
    recorded = {moment: value for moment, value in entries.items() if moment not in new}
    roll_ups = live(recorded, [slot.at_ms for index, slot in enumerate(SLOTS) if index not in unevaluated])
    first_new = {moment for moment in new if moment <= at(meeting)}
    known = recorded | {moment: entries[moment] for moment in first_new}
    first = missing_roll_ups(SLOTS, known, first_new, roll_ups, at(meeting))
    assert max(first, default=0) <= at(meeting)
    repaired = roll_ups | first
    second = missing_roll_ups(SLOTS, entries, new - first_new, repaired, END)
    assert not second.keys() & repaired.keys()
    repaired |= second
    for index in range(23):
        if at(index) in roll_ups:
            until = sum(value for moment, value in entries.items() if moment <= at(index))
            assert sum(v for moment, v in repaired.items() if moment <= at(index)) == pytest.approx(until, abs=1e-4)


slot_sets = st.sets(st.integers(0, 23))


@given(
    st.dictionaries(st.sampled_from(sorted(ENTRIES)), st.floats(-5, 1e6, allow_nan=False), min_size=1),
    st.sets(st.sampled_from(sorted(ENTRIES))),
    slot_sets,
)
def test_sums_agree_and_a_second_run_adds_nothing(
    entries: dict[int, float], new: set[int], unevaluated: set[int]
) -> None:
    """Whatever was missed, afterwards sums of roll-ups are sums of entries up to every roll-up, and it stays so."""
    new &= entries.keys()
    recorded = {moment: value for moment, value in entries.items() if moment not in new}
    roll_ups = live(recorded, [slot.at_ms for index, slot in enumerate(SLOTS) if index not in unevaluated])
    added = missing_roll_ups(SLOTS, entries, new, roll_ups, END)
    assert not added.keys() & roll_ups.keys()
    repaired = roll_ups | added
    for slot in SLOTS:
        if slot.at_ms in roll_ups:
            until = sum(value for moment, value in entries.items() if moment <= slot.at_ms)
            assert sum(v for moment, v in repaired.items() if moment <= slot.at_ms) == pytest.approx(until, abs=1e-4)
    assert missing_roll_ups(SLOTS, entries, (), repaired, END) == {}
