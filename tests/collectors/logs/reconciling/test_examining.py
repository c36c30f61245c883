"""What an examination asks of the store, and how much of the answers it keeps."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import pytest
from sereno_backends.logs.sequences import BLOCK, Block, Place
from sereno_collectors.logs.reconciling import Known, reconcile
from sereno_collectors.logs.reconciling.examining import found_elsewhere
from sereno_collectors.logs.reconciling.model import Whereabouts
from support.log_records import NOON

HOUR = timedelta(hours=1)


class Numbers:
    """A `SequenceReader` of one source, in memory; counts what it is asked."""

    name = "numbers in memory"

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = sorted(numbers)
        self.questions = 0

    def blocks(self, start: datetime, end: datetime, services: Sequence[str] = ()) -> Iterator[Block]:
        """All of them at noon."""
        assert start <= NOON < end
        assert not services
        for number in sorted({each // BLOCK for each in self._numbers}):
            there = [each for each in self._numbers if each // BLOCK == number]
            yield Block("checkout", "checkout-1", NOON, number, len(there), sum(there), there[0], there[-1])

    def count(self, source: str, lowest: int, highest: int) -> int:
        """How many lie between the two."""
        return len(self.places(source, lowest, highest))

    def places(self, source: str, lowest: int, highest: int) -> tuple[Place, ...]:
        """All at noon."""
        assert source
        self.questions += 1
        found = Counter(each for each in self._numbers if lowest <= each <= highest)
        return tuple(Place(each, documents, NOON, NOON) for each, documents in found.items())

    def preceding(self, source: str, sequence: int) -> int | None:
        """None: the first one is 1."""
        assert source
        assert sequence
        return None

    def has_before(self, service: str, moment: datetime) -> bool:
        """Nothing is older than noon."""
        assert service
        assert moment
        return False

    def renew(self) -> None:
        """Nothing changes."""

    def close(self) -> None:
        """Nothing is open."""


def test_many_dead_letters_are_few_questions() -> None:
    """Where every second document was refused, the letters are asked for by the thousand, not one by one."""
    letters = Numbers(range(2, 10_001, 2))
    answer = reconcile(Numbers(range(1, 10_001, 2)), NOON, NOON + HOUR, dead_letters=letters)
    assert answer.is_proven
    assert [(row.indexed, row.dead_lettered) for row in answer.hours] == [(5_000, 5_000)]
    assert letters.questions < 20


def test_a_sum_that_is_right_by_accident_hides_nothing() -> None:
    """Two are missing whose sum one double one has: the count tells."""
    reader = Numbers([*(number for number in range(1, 1_000) if number not in {2, 5}), 7])
    answer = reconcile(reader, NOON, NOON + HOUR)
    assert [(gap.lowest, gap.highest) for gap in answer.gaps] == [(2, 2), (5, 5)]
    assert [(each.sequence, each.documents) for each in answer.duplicates] == [(7, 2)]


@pytest.mark.parametrize(
    ("spans", "left"),
    [
        ([(1, 100)], []),
        ([(5, 5), (5, 9), (50, 60)], [(1, 4), (10, 19), (30, 40)]),
        ([(200, 300)], [(1, 19), (30, 40), (50, 50)]),
    ],
)
def test_a_number_is_elsewhere_once(spans: list[tuple[int, int]], left: list[tuple[int, int]]) -> None:
    """What two know to be elsewhere is counted where it is known to be first; what nobody knows is left."""
    absent = [(1, 19), (30, 40), (50, 50)]
    known = [Known(Whereabouts.QUEUE, "checkout", "checkout-1", low, high, NOON) for low, high in spans]
    found, rest = found_elsewhere(absent, known)
    assert rest == left
    numbers = [number for each in found for number in range(each.lowest, each.highest + 1)]
    assert len(numbers) == len(set(numbers))
    remaining = {number for low, high in left for number in range(low, high + 1)}
    assert set(numbers) == {number for low, high in absent for number in range(low, high + 1)} - remaining
