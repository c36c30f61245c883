"""Time slices: are minutes judged as they should be, and do they alert? Scrapes every 30 s, so two a minute."""

import math
from collections.abc import Iterator

from sereno_slo.duration import Duration
from sereno_slo.model import TimeSlices
from sereno_slo.render.promtool.cases import LONG_AGO_SECONDS, OTHER_TARGET_NAME, TARGET_NAME, Bench, Case
from sereno_slo.render.promtool.streams import Series, Target, Values, bad_values, good_value, phases

_SCRAPES = 2
_MINUTE = Duration.parse("1m")
_SLOT = Duration.parse("5m")


def slice_cases(bench: Bench, indicator: TimeSlices) -> Iterator[Case]:
    """Minute entries of slices, and the alerts on them."""
    for position, bad in enumerate(bad_values(indicator)):
        which = "" if position == 0 else ", on the other side, too"
        yield _one_bad_value(bench, good_value(indicator), bad, which)
    yield _no_value(bench, good_value(indicator))
    if bench.feed.tells_targets_apart:
        yield _any_series(bench, good_value(indicator), bad_values(indicator)[0])
    yield _outage(bench)


def _watched(bench: Bench, values: Values, name: str = TARGET_NAME) -> list[Series]:
    target = Target(name, LONG_AGO_SECONDS, up=(1,) * len(values))
    return [*bench.feed.health(target), bench.feed.gauge(target, values)]


def _one_bad_value(bench: Bench, good: float, bad: float, which: str) -> Case:
    values = (*(good,) * 9, bad, *(good,) * 11)  # at 4m30s
    return bench.case(
        f"a minute is one event, bad when any value in it is{which}",
        _watched(bench, values),
        bench.recorded("4m", "sereno:events:delta1m", 1),
        bench.recorded("4m", "sereno:bad_events:delta1m", 0),
        bench.recorded("5m", "sereno:events:delta1m", 1),
        bench.recorded("5m", "sereno:bad_events:delta1m", 1),
        bench.recorded("6m", "sereno:bad_events:delta1m", 0),
        bench.recorded("8m", "sereno:events:5m", 5),
        bench.recorded("8m", "sereno:error_ratio:5m", 1 / 5),
        bench.recorded("8m", "sereno:coverage:delta1m", 1),
    )


def _no_value(bench: Bench, good: float) -> Case:
    """What can't be seen is neither good nor bad; coverage tells of it."""
    values = (*(good,) * 4, *(None,) * 5, *(math.nan,) * 4, *(good,) * 4)
    return bench.case(
        "a minute without a value, or with none that is a number, is no event",
        _watched(bench, values),
        bench.recorded("4m", "sereno:events:delta1m", None),
        bench.recorded("4m", "sereno:bad_events:delta1m", None),
        bench.recorded("6m", "sereno:events:delta1m", 0),
        bench.recorded("6m", "sereno:bad_events:delta1m", 0),
        bench.recorded("7m", "sereno:events:delta1m", 1),
    )


def _any_series(bench: Bench, good: float, bad: float) -> Case:
    other = (*(good,) * 5, bad, bad, *(good,) * 4)  # at 2m30s and 3m
    return bench.case(
        "of several series one that is bad is enough, and they are one event",
        [*_watched(bench, (good,) * 11), *_watched(bench, other, OTHER_TARGET_NAME)],
        bench.recorded("3m", "sereno:events:delta1m", 1),
        bench.recorded("3m", "sereno:bad_events:delta1m", 1),
        bench.recorded("5m", "sereno:bad_events:delta1m", 0),
    )


def _failing(bench: Bench, healthy: int, failing: int, healed: int) -> list[Series]:
    """So many good minutes, bad ones and good ones; the boundary belongs to good minutes."""
    return bench.healthy(
        phases((healthy * _SCRAPES, 1, 0), (failing * _SCRAPES - 1, 1, 1), (healed * _SCRAPES + 1, 1, 0))
    )


def _outage(bench: Bench) -> Case:
    """Five minutes that were all bad: four of five may be a flapping probe."""
    lasting, page = bench.lasting_minutes, {"burn": "outage", "severity": "critical"}
    return bench.case(
        "five bad minutes page and the outage alert ends with them",
        _failing(bench, healthy=10, failing=6, healed=3 + lasting),
        bench.burns(_MINUTE * 14, count=None, burn="outage"),
        bench.burns(_MINUTE * 15, count=1, **page),
        bench.burns(_MINUTE * 16, count=1, **page),
        bench.burns(_MINUTE * (17 + lasting), count=None, burn="outage"),
    )


def long_slice_cases(bench: Bench) -> Iterator[Case]:
    """Sums over longer windows; scraped and evaluated every five minutes, so that a slot has one slice."""
    slots, bad = 24, 6
    ratio = bad / slots  # roll-ups lag by one slot here: time zero counts, the last slot doesn't yet
    at = str(_SLOT * slots)
    yield bench.case(
        "sums bad minutes, and what they leave of the budget",
        bench.healthy(phases((12, 1, 0), (bad, 1, 1), (slots - 12 - bad, 1, 0))),
        bench.recorded(at, "sereno:events:sum5m", 1),
        bench.recorded(at, "sereno:events:2h", 24),
        bench.recorded(at, "sereno:events:1d", slots),
        bench.recorded(at, "sereno:bad_events:window", bad),
        bench.recorded(at, "sereno:error_ratio:window", ratio),
        bench.recorded(at, "sereno:error_budget_remaining:ratio", 1 - ratio / bench.slo.error_budget_ratio),
    )
