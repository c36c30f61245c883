"""The truth, and what scrapes show of it."""

from dataclasses import replace

import numpy as np
from support.accuracy import DURING, moments, stretch, target

from benchmarks.accuracy.counting import Counted, Truth, count, count_minutes, scrape_times
from benchmarks.accuracy.scenarios.traffic import BAD, GOOD, constant, during_intervals
from benchmarks.accuracy.world import EventClass, Gauge, Observer, Target
from benchmarks.simulation import SECOND, Interval


def counted(one: Target, *, window: Interval = DURING, observers: tuple[Observer, ...] = (Observer(),)) -> Counted:
    """What happened, by a fixed seed."""
    return count(one, observers, DURING, window, np.random.default_rng(1))


def test_every_event_is_in_the_truth() -> None:
    """Random and planned events of all classes are counted, and the counters show their sum in the end."""
    one = target(rates=(constant(5), constant(1)), planned={BAD: moments(12, 100, 101)})
    found = counted(one)
    truth, (shown,) = found.truth[""], found.shown
    assert 2500 < truth.events - truth.bad_events < 3500
    assert 500 < truth.bad_events < 700
    # The last scrape is half a minute before the end: the rest is unseen.
    assert shown.counted[BAD, -1] == truth.bad_events - truth.unseen_bad_events
    assert truth.unseen_bad_events > 0


def test_the_window_cuts_the_truth_and_not_the_counters() -> None:
    """Events before the window are in the counters only."""
    one = target(planned={GOOD: moments(10, 400), BAD: moments(70, 200, 310)})
    found = counted(one, window=stretch(180, 600))
    assert found.truth[""] == Truth(events=3, bad_events=2)
    assert found.shown[0].counted[BAD, -1] == 3


def test_a_restart_begins_at_zero_and_hides_what_came_after_the_last_scrape() -> None:
    """Counters are of the running process; an event between the last scrape and the restart is true, but unseen."""
    one = target(restarts=tuple(moments(100)), planned={BAD: moments(10, 95, 130, 131)})
    found = counted(one)
    by_time = dict(zip(found.shown[0].times - DURING.start, found.shown[0].counted[BAD], strict=True))
    assert [by_time[second * SECOND] for second in (0, 30, 90, 120, 150)] == [0, 1, 1, 0, 2]
    assert found.truth[""] == Truth(events=4, bad_events=4, unseen_bad_events=1)
    assert set(found.shown[0].process_started) == {DURING.start, DURING.start + 100 * SECOND}


def test_a_scrape_gap_hides_nothing_when_the_process_outlives_it() -> None:
    """Failing scrapes lose no event; a process that ends within the gap takes its events with it."""
    gap = stretch(100, 300)
    outlives = target(unreachable=(gap,), planned={BAD: moments(150)})
    assert counted(outlives).truth[""].unseen_bad_events == 0
    ends = replace(outlives, life=stretch(0, 200), watched=stretch(0, 200))
    assert counted(ends).truth[""].unseen_bad_events == 1
    assert not counted(outlives).shown[0].alive[5]


def test_two_observers_see_the_same_events() -> None:
    """Replicas scrape at other moments, and agree on what has happened by then."""
    one = target(rates=(constant(3), constant(1)))
    first, second = counted(one, observers=(Observer("a"), Observer("b", 10 * SECOND))).shown
    assert set(second.times - first.times) == {10 * SECOND}
    assert np.all(second.counted[:, :-1] >= first.counted[:, :-1])
    assert np.all(second.counted[:, :-1] <= first.counted[:, 1:])


def test_truth_by_group() -> None:
    """Each group has a truth of its own."""
    one = target(
        classes=(EventClass(bad=False, group="/a"), EventClass(bad=True, group="/b")),
        planned={GOOD: moments(10, 11), BAD: moments(12)},
    )
    assert counted(one).truth == {"/a": Truth(events=2), "/b": Truth(events=1, bad_events=1)}


def test_scrapes_keep_their_phase() -> None:
    """Whenever discovery finds a target, its scrapes are at its phase of the half minute."""
    one = target(scrape_phase=7 * SECOND, watched=stretch(50, 130))
    times = scrape_times(one, Observer(scrape_shift=2 * SECOND), DURING)
    assert (times - DURING.start).tolist() == [69 * SECOND, 99 * SECOND, 129 * SECOND]


def test_minutes_of_a_gauge() -> None:
    """A minute with one bad value of any target is bad; one that nobody scraped is no event."""
    failing = during_intervals(0, [stretch(85, 95)], constant(1))
    gauge = Gauge({"__name__": "probe_success"}, failing, lambda values: values == 0)
    plain = target(classes=(), rates=(), streams=())
    first, second = replace(plain, gauges=(gauge,)), replace(plain, unreachable=(stretch(0, 300),), gauges=(gauge,))
    observer = Observer(down=(stretch(301, 420),))
    truth = count_minutes((first, second), observer, DURING, DURING, phase=0)
    # Minutes end at their clock minute, so the first scrape is the end of one, too. That from 300 s on was not scraped.
    assert truth == Truth(events=11 - 1, bad_events=1)


def test_an_idle_truth_has_no_error_ratio_above_zero() -> None:
    """No events, no errors."""
    assert Truth().error_ratio == 0
