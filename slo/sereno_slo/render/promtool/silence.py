"""Is silence told from calm? Targets that are down or gone, selectors that match nothing; scrapes every 30 s."""

from collections.abc import Iterator

from sereno_slo.duration import Duration
from sereno_slo.model import Latency
from sereno_slo.render.promtool.cases import LONG_AGO_SECONDS, TARGET_NAME, Bench, Case
from sereno_slo.render.promtool.streams import Series, Target, Values, steady, where_up

_MINUTE = 2
_EVENTS = 300  # a scrape


def silence_cases(bench: Bench) -> Iterator[Case]:
    """Critical when nothing is watched, a warning when nothing is counted."""
    yield _targets_down(bench)
    yield _targets_gone(bench)
    if not bench.feed.is_about_up:
        yield _nothing_matches(bench)
    if isinstance(bench.slo.indicator, Latency):
        yield _no_such_bucket(bench)


def _at(minutes: int) -> Duration:
    return Duration.parse("1m") * minutes


def _target(up: Values) -> Target:
    return Target(TARGET_NAME, LONG_AGO_SECONDS, up=up)


def _targets_down(bench: Bench) -> Case:
    up = (*(1,) * (10 * _MINUTE), *(0,) * (10 * _MINUTE), *(1,) * (5 * _MINUTE))
    target = _target(up)
    return bench.case(
        "a target that is down is critical after five minutes, and resolves",
        [*bench.feed.health(target), *bench.feed.counters(target, where_up(steady(len(up) - 1, _EVENTS), up))],
        bench.lacks_data(_at(14), count=None, severity="critical"),
        bench.lacks_data(_at(16), count=1, severity="critical"),
        bench.lacks_data(_at(22), count=None, severity="critical"),
    )


def _targets_gone(bench: Bench) -> Case:
    return bench.case(
        "no target at all is critical after five minutes",
        bench.feed.health(_target((1,) * (2 * _MINUTE))),
        bench.lacks_data(_at(13), count=1, severity="critical"),
    )


def _nothing_matches(bench: Bench) -> Case:
    return bench.case(
        "targets without the counted series are a warning after fifteen minutes, not a page",
        bench.feed.health(_target((1,) * (18 * _MINUTE))),
        bench.lacks_data(_at(14), count=None, severity="warning"),
        bench.lacks_data(_at(16), count=1, severity="warning"),
        bench.lacks_data(_at(17), count=None, severity="critical"),
    )


def _no_such_bucket(bench: Bench) -> Case:
    """Neither "all fast" nor "all slow": a threshold that is no bucket bound counts nothing, and that is said."""
    series: list[Series] = bench.healthy(steady(20 * _MINUTE, _EVENTS))
    return bench.case(
        "a histogram without the threshold's bucket is a warning after fifteen minutes",
        series[:-1],
        bench.recorded("10m", "sereno:events:5m", 5 * _MINUTE * _EVENTS),
        bench.recorded("10m", "sereno:bad_events:5m", None),
        bench.recorded("10m", "sereno:error_ratio:5m", None),
        bench.lacks_data(_at(14), count=None, severity="warning"),
        bench.lacks_data(_at(18), count=1, severity="warning"),
    )
