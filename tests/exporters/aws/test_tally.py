"""Counters out of minutes that come late and in pieces: never down, never too much, and in the end the truth."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from sereno_exporters.aws.catalogue import LAMBDA
from sereno_exporters.aws.reading import reads_of
from sereno_exporters.aws.snapshot import Series
from sereno_exporters.aws.tally import (
    MILLIONTHS,
    MINUTE,
    MOST_SECONDS_AT_ONCE,
    RETAINED_SECONDS,
    Patience,
    Span,
    Tally,
    begun,
    counted,
    minute_of,
    remembered,
)

START = 1_790_000_040
PATIENCE = Patience(delay=300, convergence=1_800)
SERIES = Series(LAMBDA.metrics[0], "worker")


@dataclass(frozen=True)
class Piece:
    """A part of a minute's sum, and when CloudWatch shows it."""

    minute: int
    amount: float
    shown_at: float


pieces = st.builds(
    lambda index, amount, lateness: Piece(START + MINUTE * index, amount, START + MINUTE * (index + 1) + lateness),
    st.integers(0, 120),
    st.one_of(st.integers(0, 1000).map(float), st.integers(0, 10**7).map(lambda cents: cents / 100)),
    st.floats(0, PATIENCE.convergence - 1),
)
pauses = st.lists(st.one_of(st.floats(1, 120), st.floats(1, 4_000)), min_size=1, max_size=60)


def shown(all_pieces: list[Piece], span: Span, now: float) -> dict[int, float]:
    """What CloudWatch answers: each minute's sum of what has come."""
    sums: dict[int, float] = {}
    for piece in all_pieces:
        if piece.minute in span and piece.shown_at <= now:
            sums[piece.minute] = sums.get(piece.minute, 0.0) + piece.amount
    return sums


def millionths(all_pieces: list[Piece], before: int) -> int:
    """The truth of the minutes before one."""
    sums: dict[int, float] = {}
    for piece in all_pieces:
        if piece.minute < before:
            sums[piece.minute] = sums.get(piece.minute, 0.0) + piece.amount
    return sum(round(value * MILLIONTHS) for value in sums.values())


def asked(tally: Tally, all_pieces: list[Piece], now: float, behind: float = 0.0) -> Tally:
    """One fetch; CloudWatch's answer may be from some seconds behind."""
    for read in reads_of({SERIES: tally.settled_until}, now, 500):
        tally = counted(tally, shown(all_pieces, read.span, now - behind), read.span, now, PATIENCE)
    return tally


@given(all_pieces=st.lists(pieces, max_size=60), waits=pauses)
def test_however_late_the_counter_ends_with_the_truth(all_pieces: list[Piece], waits: list[float]) -> None:
    """Random lateness within the window, scrapes at any moments, gaps of an hour: exact in the end, and never down."""
    now = START + PATIENCE.delay
    tally = begun(now, PATIENCE)
    assert (tally.settled_until, tally.total) == (START, 0)
    for pause in waits:
        now += pause
        before, tally = tally, asked(tally, all_pieces, now)
        assert tally.total >= before.total
        assert tally.total <= millionths(all_pieces, minute_of(now - PATIENCE.delay)) / MILLIONTHS
    tally = asked(tally, all_pieces, max(now, START + 121 * MINUTE) + PATIENCE.convergence)
    assert tally.total == millionths(all_pieces, START + 121 * MINUTE) / MILLIONTHS


@given(all_pieces=st.lists(pieces, max_size=30), waits=pauses, data=st.data())
def test_an_answer_from_behind_takes_nothing_away(
    all_pieces: list[Piece], waits: list[float], data: st.DataObject
) -> None:
    """CloudWatch may answer with an older state than it did before; the counter stays."""
    now = START + PATIENCE.delay
    tally = begun(now, PATIENCE)
    for pause in waits:
        now += pause
        before, tally = tally, asked(tally, all_pieces, now, behind=data.draw(st.floats(0, 600)))
        assert tally.total >= before.total


@given(all_pieces=st.lists(pieces, max_size=30), now=st.integers(0, 10_000))
def test_counting_an_answer_twice_changes_nothing(all_pieces: list[Piece], now: int) -> None:
    """Two exporters that share a state, or a fetch that is thrown away after it counted, are right."""
    moment = START + PATIENCE.delay + now
    span = Span(START, minute_of(moment))
    sums = shown(all_pieces, span, moment)
    once = counted(begun(START + PATIENCE.delay, PATIENCE), sums, span, moment, PATIENCE)
    assert counted(once, sums, span, moment, PATIENCE) == once


def test_no_minute_is_counted_before_it_is_old_enough() -> None:
    """The newest minutes of an answer wait: they may still grow."""
    now = START + 3_600.0
    tally = Tally(settled_until=START)
    young = minute_of(now - PATIENCE.delay)
    after = counted(tally, {young - MINUTE: 5.0, young: 7.0}, Span(START, minute_of(now)), now, PATIENCE)
    assert after.total == 5


def test_a_gap_that_was_not_read_is_not_settled() -> None:
    """An answer that begins later than the tally needs leaves the minutes before it open."""
    now = START + 7_200.0
    read = Span(START + 1_200, minute_of(now))
    after = counted(Tally(settled_until=START), {START + 1_200: 4.0}, read, now, PATIENCE)
    assert after.settled_until == START
    assert counted(after, {START: 3.0, START + 1_200: 4.0}, Span(START, minute_of(now)), now, PATIENCE).total == 7


def test_after_an_absence_it_catches_up_in_bounded_steps() -> None:
    """Three days away: each call asks for six hours, and nothing is missing in the end."""
    away = [Piece(START + MINUTE * index, 1.0, START + MINUTE * (index + 1)) for index in range(3 * 1_440)]
    now = START + 3 * 86_400.0 + PATIENCE.convergence
    tally, steps = Tally(settled_until=START), 0
    while tally.settled_until < minute_of(now - PATIENCE.convergence):
        (read,) = reads_of({SERIES: tally.settled_until}, now, 500)
        assert read.span.end - read.span.start <= MOST_SECONDS_AT_ONCE
        tally, steps = asked(tally, away, now), steps + 1
        assert steps < 20
    assert tally.total == len(away)


def test_what_cloudwatch_has_forgotten_is_counted_as_lost() -> None:
    """Away for longer than CloudWatch keeps minutes: the gap is told, what was counted stays."""
    tally = Tally(settled_until=START, settled=5 * MILLIONTHS, pending={START: 2 * MILLIONTHS})
    after = remembered(tally, START + RETAINED_SECONDS + 600)
    assert (after.settled_until, after.lost_minutes, after.total) == (START + 600, 10, 7)
    assert remembered(after, START + RETAINED_SECONDS + 600) == after
