"""Time slices: every minute in which a gauge was seen is one event, bad when any value in it was.

A minute without a value is no event: what the ledger can't see is stated by coverage, never guessed. A value that is
not a number is not one, either.
"""

import math
from collections.abc import Iterator
from typing import assert_never

from sereno_slo.duration import MINUTE
from sereno_slo.model import Probe, Threshold, TimeSlices
from sereno_slo.plan.counting import Raw
from sereno_slo.promql import Aggregation, Call, Expr, Number


def slices(indicator: TimeSlices, raw: Raw, by: tuple[str, ...] = ()) -> Expr:
    """1 for a minute in which any series had a value."""
    return _extreme("max", indicator, raw, by).holds(">=", Number(-math.inf))


def bad_slices(indicator: TimeSlices, raw: Raw, by: tuple[str, ...] = ()) -> Expr:
    """1 for a minute in which any value was bad, 0 for a good one."""
    broken = tuple(_broken(indicator, raw, by))
    return broken[0] if len(broken) == 1 else Call("clamp_max", (broken[0] + broken[1], Number(1)))


def _broken(indicator: TimeSlices, raw: Raw, by: tuple[str, ...]) -> Iterator[Expr]:
    match indicator:
        case Probe():
            yield _extreme("min", indicator, raw, by).holds("==", 0)
        case Threshold(minimum=minimum, maximum=maximum):
            if maximum is not None:
                yield _extreme("max", indicator, raw, by).holds(">", maximum)
            if minimum is not None:
                yield _extreme("min", indicator, raw, by).holds("<", minimum)
        case _:
            assert_never(indicator)


def _extreme(which: str, indicator: TimeSlices, raw: Raw, by: tuple[str, ...]) -> Expr:
    # Just under a minute: a value on the very boundary belongs to one slice only.
    return Aggregation(which, Call(f"{which}_over_time", (raw.latest(indicator.gauge).over(MINUTE.just_under()),)), by)
