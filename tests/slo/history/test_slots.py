"""When entries ought to be."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from sereno_slo.history.slots import MINUTE_MS, Slot, evaluations, is_recorded, slots

START = 1_800_000_000_000
PHASE = 23_456


def minute(number: int) -> int:
    """The end of a minute in the phase of the tests."""
    return START + PHASE + number * MINUTE_MS


def ends(*recorded: int, start: int = START, end: int) -> list[int]:
    """Where the slots end."""
    return [slot.at_ms for slot in slots(recorded, MINUTE_MS, start, end)]


def test_without_anything_recorded_slots_end_with_the_minute() -> None:
    """A ledger without entries gets them at full minutes, after the start and up to the end."""
    assert ends(start=START, end=START + 3 * MINUTE_MS) == [START + MINUTE_MS * n for n in (1, 2, 3)]


def test_holes_keep_the_phase_of_what_follows() -> None:
    """Before, between and after what is recorded, slots lie a minute apart in its phase."""
    assert ends(minute(3), minute(6), end=minute(8)) == [minute(n) for n in range(9)]
    assert ends(minute(30), end=minute(2)) == [minute(0), minute(1), minute(2)]


def test_a_new_phase_begins_with_what_is_left_of_a_minute() -> None:
    """Where the phase changes, the first new slot begins where the last old one ends."""
    old, new = minute(2), minute(6) + 20_000
    filled = slots([old, new], MINUTE_MS, START, new)
    assert Slot(old, minute(2) + 20_000) in filled
    assert [after.after_ms - before.at_ms for before, after in pairwise(filled)] == [0] * (len(filled) - 1)


def test_repairs_belong_to_the_slot_they_lie_before() -> None:
    """What a repair wrote a few milliseconds early makes neither a slot nor a phase of its own."""
    recorded = [minute(0), minute(1) - 1, minute(2), minute(3) - 2, minute(3), minute(4) - 1]
    assert evaluations(recorded, MINUTE_MS) == [minute(n) for n in range(5)]
    assert is_recorded(recorded, minute(1))
    assert not is_recorded(recorded, minute(5))
    assert not is_recorded(recorded, minute(1) - 500)


@given(st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)), st.integers(0, MINUTE_MS - 1))
def test_slots_are_the_same_after_a_repair(live: set[int], repaired: set[int], phase: int) -> None:
    """Whatever a repair adds to holes between live entries, the next run sees the same slots."""
    anchors = {0, 61}
    before = [START + phase + MINUTE_MS * n for n in live | anchors]
    added = [START + phase + MINUTE_MS * n - (n - 1 in live) for n in repaired - live - anchors]
    bounds = (MINUTE_MS, START, START + phase + 61 * MINUTE_MS)
    assert slots([*before, *added], *bounds) == slots(before, *bounds)


@given(st.lists(st.integers(0, 3_600_000), max_size=40))
def test_slots_cover_all_time_from_the_first_to_the_last(moments: list[int]) -> None:
    """However evaluations lay, nothing longer than a second is left out, and nothing that had a hole is seen twice."""
    filled = slots([START + moment for moment in moments], MINUTE_MS, START, START + 3_600_000)
    for before, after in pairwise(filled):
        assert after.after_ms - before.at_ms < 1_000
        assert after.at_ms > before.at_ms
    assert all(slot.length_ms <= MINUTE_MS for slot in filled)
