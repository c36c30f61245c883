"""Does the ledger count what happened? Growth, resets, gaps, idle times; scrapes every 30 s."""

from collections.abc import Iterator
from dataclasses import replace

from sereno_slo.model import BadEventsRatio, Latency
from sereno_slo.render.promtool.cases import Bench, Case
from sereno_slo.render.promtool.streams import phases, restarted, steady, where_up

# Scrapes every 30 s, so two a minute.
_MINUTE = 2
_EVENTS, _BAD_EVENTS = 30, 3  # a scrape; twice that a minute


def counting_cases(bench: Bench) -> Iterator[Case]:
    """Minute entries and short windows."""
    yield _steady_traffic(bench)
    yield _reset(bench)
    yield _gap(bench)
    yield _vanishing(bench)
    yield _zero_traffic(bench)
    yield _never_any_traffic(bench)
    if not isinstance(bench.slo.indicator, Latency):
        yield _no_error_series(bench)
    if bench.may_count_good_late:
        yield _good_counted_late(bench)


def _steady_traffic(bench: Bench) -> Case:
    counted = steady(10 * _MINUTE, _EVENTS, _BAD_EVENTS)
    return bench.case(
        "counts steady traffic",
        bench.healthy(counted),
        bench.recorded("10m", "sereno:events:delta1m", 60),
        bench.recorded("10m", "sereno:bad_events:delta1m", 6),
        # Exactly five entries: a range of a whole 5m would hold six of them on Prometheus 2.x.
        bench.recorded("10m", "sereno:events:5m", 300),
        bench.recorded("10m", "sereno:bad_events:5m", 30),
        bench.recorded("10m", "sereno:error_ratio:5m", 30 / 300),
        # The same of roll-ups, which are evaluated every minute here.
        bench.recorded("10m", "sereno:events:sum5m", 300),
        bench.recorded("10m", "sereno:bad_events:sum5m", 30),
        bench.recorded("10m", "sereno:coverage:delta1m", 1),
    )


def _reset(bench: Bench) -> Case:
    counted = restarted(steady(10 * _MINUTE, _EVENTS, _BAD_EVENTS), 5 * _MINUTE, 12, 2)
    return bench.case(
        "counts from zero after a reset",
        bench.healthy(counted),
        bench.recorded("5m", "sereno:events:delta1m", 12),
        bench.recorded("5m", "sereno:bad_events:delta1m", 2),
        bench.recorded("6m", "sereno:events:delta1m", 0),
    )


def _gap(bench: Bench) -> Case:
    """Twenty minutes without Prometheus, as an upgrade takes them; the service counted on."""
    seen = tuple(0 if 2 * _MINUTE < scrape < 22 * _MINUTE else 1 for scrape in range(25 * _MINUTE + 1))
    return bench.case(
        "catches up after a gap of twenty minutes",
        bench.healthy(where_up(steady(25 * _MINUTE, _EVENTS, _BAD_EVENTS), seen)),
        bench.recorded("22m", "sereno:events:delta1m", 1200),
        bench.recorded("22m", "sereno:bad_events:delta1m", 120),
        bench.recorded("23m", "sereno:events:delta1m", 60),
    )


def _vanishing(bench: Bench) -> Case:
    """The last scrape before a target is removed lies behind a staleness marker, and counts."""
    series = bench.healthy(steady(5 * _MINUTE - 1, _EVENTS, _BAD_EVENTS))
    return bench.case(
        "counts the last scrape of a target that is removed, and then nothing",
        [replace(each, ends_stale=True) for each in series],
        bench.recorded("5m", "sereno:events:delta1m", _EVENTS),
        bench.recorded("5m", "sereno:bad_events:delta1m", _BAD_EVENTS),
        bench.recorded("6m", "sereno:events:delta1m", None),
        bench.recorded("6m", "sereno:bad_events:delta1m", None),
    )


def _never_any_traffic(bench: Bench) -> Case:
    windows = ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "window")
    return bench.case(
        "a service without any traffic has an error ratio of zero in every window",
        bench.healthy(steady(5 * _MINUTE, 0)),
        *(bench.recorded("5m", f"sereno:error_ratio:{window}", 0) for window in windows),
    )


def _good_counted_late(bench: Bench) -> Case:
    """A call is counted in one scrape and found good in the next: entries keep the sign, so that sums stay exact."""
    return bench.case(
        "sums hold when good events are counted late, and no window has less than none",
        bench.healthy(phases((5 * _MINUTE, _EVENTS, 3), (5 * _MINUTE, _EVENTS, -3))),
        bench.recorded("5m", "sereno:bad_events:delta1m", 6),
        bench.recorded("7m", "sereno:bad_events:delta1m", -6),
        bench.recorded("7m", "sereno:bad_events:30m", 30 - 2 * 6),
        bench.recorded("10m", "sereno:bad_events:5m", 0),
        bench.recorded("10m", "sereno:error_ratio:5m", 0),
    )


def _zero_traffic(bench: Bench) -> Case:
    counted = phases((5 * _MINUTE, _EVENTS, 0), (15 * _MINUTE, 0, 0))
    return bench.case(
        "idle is an error ratio of zero and no alert",
        bench.healthy(counted),
        bench.recorded("20m", "sereno:events:delta1m", 0),
        bench.recorded("20m", "sereno:bad_events:delta1m", 0),
        bench.recorded("20m", "sereno:error_ratio:5m", 0),
        bench.recorded("20m", "sereno:error_ratio:window", 0),
        bench.recorded("20m", "sereno:error_budget_remaining:ratio", 1),
        bench.fires(bench.scrape_interval * 40, count=None),
    )


def _no_error_series(bench: Bench) -> Case:
    """Nobody has ever seen an error (or, for good events, a success): the series doesn't exist."""
    is_bad_counted = isinstance(bench.slo.indicator, BadEventsRatio)
    bad_events = 0 if is_bad_counted else _EVENTS
    series = bench.healthy(steady(10 * _MINUTE, _EVENTS, bad_events))
    absent = replace(series[-1], values=(None,) * (10 * _MINUTE + 1))
    return bench.case(
        "an absent series of errors is none" if is_bad_counted else "an absent series of good events is none",
        [*series[:-1], absent],
        bench.recorded("10m", "sereno:events:5m", 300),
        bench.recorded("10m", "sereno:bad_events:5m", 10 * bad_events),
    )
