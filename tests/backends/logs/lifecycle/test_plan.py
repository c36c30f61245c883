"""Which indices go when."""

from datetime import timedelta

from sereno_backends.logs.health.forecast import growth_of
from sereno_backends.logs.lifecycle import BackingIndex, Retention, Stream, deletions, due
from support.log_records import NOON

DAY = timedelta(days=1)
# Two indices of a month ago, the one that is written to, and one that was reindexed and put before them on Friday.
STREAM = Stream(
    "logs-app-default",
    tuple(
        BackingIndex(name, NOON - age * DAY, 1, 700)
        for name, age in (("reindexed", 2), ("first", 40), ("second", 35), ("written", 7))
    ),
    is_ours=True,
)


def test_an_index_that_was_put_into_the_stream_later_is_young() -> None:
    """What somebody reindexed lives for its retention from then on, not from the age of its neighbours."""
    planned = deletions(STREAM, Retention(7 * DAY))
    assert [(each.index, each.due_at) for each in planned] == [
        ("first", NOON - 28 * DAY),
        ("second", NOON),
        ("reindexed", NOON + 5 * DAY),
    ]
    assert [each.index for each in due(planned, NOON)] == ["first", "second"]


def test_growth_is_not_that_of_the_index_that_was_put_in() -> None:
    """The week is measured, not the two days since the reindexing."""
    growth = growth_of(STREAM, NOON)
    assert growth is not None
    assert growth.measured == 7 * DAY
    assert growth.bytes_per_day == 100
