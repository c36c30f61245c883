"""A small target for tests of benchmarks/accuracy: scraped at :00 and :30, one good and one bad class of events."""

from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.accuracy.scenarios.traffic import BAD, GOOD, constant
from benchmarks.accuracy.world import EventClass, Stream, Target, Times
from benchmarks.simulation import MINUTE, Interval

START = 1_700_000_400_000
"""A multiple of five minutes."""
DURING = Interval(START, START + 10 * MINUTE)


def target(**changes: Any) -> Target:
    """It runs and is watched all the time, unless changed; nothing happens at random."""
    plain = Target(
        labels={"job": "shop", "instance": "a"},
        life=DURING,
        classes=(EventClass(bad=False), EventClass(bad=True)),
        rates=(constant(0), constant(0)),
        streams=(
            Stream({"__name__": "requests_total"}, (GOOD, BAD)),
            Stream({"__name__": "errors_total"}, (BAD,), born_with_first_event=True),
        ),
        watched=DURING,
    )
    return replace(plain, **changes)


def moments(*seconds: float) -> Times:
    """Times, in seconds after the start."""
    return np.array([START + round(1000 * second) for second in seconds], dtype=np.int64)


def stretch(from_seconds: float, to_seconds: float) -> Interval:
    """An interval, in seconds after the start."""
    return Interval(START + round(1000 * from_seconds), START + round(1000 * to_seconds))
