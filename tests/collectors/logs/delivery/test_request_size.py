"""How the size of requests follows what a server copes with."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from sereno_collectors.logs.delivery.request_size import SMALLEST_SHARE, Limits, RequestSize

FULL = Limits(documents=2_000, size_bytes=5_000_000)
BYTES = FULL.size_bytes // FULL.documents
SMALLEST = int(FULL.documents * SMALLEST_SHARE)


def serve(size: RequestSize, capacities: Sequence[int]) -> list[tuple[int, bool]]:
    """Full queues before a server that takes requests up to a size; what was tried, and whether it was taken."""
    tried: list[tuple[int, bool]] = []
    for capacity in capacities:
        limits = size.limits
        taken = limits.documents <= capacity
        if taken:
            size.went_well(limits.documents, limits.documents * BYTES)
        else:
            size.was_too_much(limits)
        tried.append((limits.documents, taken))
    return tried


schedules = st.lists(
    st.tuples(st.integers(0, 3_000), st.integers(1, 60)).map(lambda phase: [phase[0]] * phase[1]), max_size=8
).map(lambda phases: [capacity for phase in phases for capacity in phase])


@given(schedule=schedules, capacity=st.integers(SMALLEST, 3_000))
def test_whatever_came_before_the_size_settles_at_what_the_server_takes(schedule: list[int], capacity: int) -> None:
    """After at most seven refusals requests are taken again, and from then on at most every second is refused."""
    size = RequestSize(FULL)
    serve(size, schedule)
    tried = serve(size, [capacity] * 100)
    assert any(taken for _, taken in tried[:7])
    settled = tried[7:]
    assert sum(taken for _, taken in settled) >= len(settled) // 2
    # What gets through is worth it: at least a fifth of what the server would take if it were always asked just right.
    stored = sum(documents for documents, taken in settled if taken)
    assert stored >= min(capacity, FULL.documents) * len(settled) / 5


@given(schedule=schedules)
def test_the_size_stays_within_its_limits_and_comes_back_to_the_top(schedule: list[int]) -> None:
    """Never below the smallest, never above the full size, and full again after 28 requests that went well."""
    size = RequestSize(FULL)
    assert all(SMALLEST <= documents <= FULL.documents for documents, _ in serve(size, schedule))
    serve(size, [10_000] * 28)
    assert size.limits == FULL


def test_two_requests_that_fail_together_count_once() -> None:
    """Both workers tried the same size: one halving is enough."""
    size = RequestSize(FULL)
    tried = size.limits
    size.was_too_much(tried)
    size.was_too_much(tried)
    assert size.limits.documents == FULL.documents // 2


def test_small_requests_say_nothing_about_large_ones() -> None:
    """While little comes in, the size does not grow back by requests that could not have been too much."""
    size = RequestSize(FULL)
    size.was_too_much(size.limits)
    for _ in range(50):
        size.went_well(10, 10 * BYTES)
    assert size.limits.documents == FULL.documents // 2


def test_no_size_is_below_one_document() -> None:
    """Even a full size of one document is asked for as one."""
    size = RequestSize(Limits(1, 1))
    size.was_too_much(size.limits)
    assert size.limits == Limits(1, 1)
