"""Does the ledger count what happened? Births, resets, gaps, discoveries, silence; scrapes every 30 s."""

from collections.abc import Iterator
from dataclasses import replace

from sereno_slo.model import BadEventsRatio, Latency
from sereno_slo.render.promtool.cases import LONG_AGO_SECONDS, OTHER_TARGET_NAME, TARGET_NAME, Bench, Case
from sereno_slo.render.promtool.streams import Counted, Series, Target, Values, phases, steady

# Scrapes every 30 s, so two a minute.
_MINUTE = 2
_EVENTS, _BAD_EVENTS = 30, 3  # a scrape; twice that a minute


def counting_cases(bench: Bench) -> Iterator[Case]:
    """Minute entries and short windows."""
    yield _steady_traffic(bench)
    yield _newborn_series(bench)
    if bench.settings.process_start_metric is not None:
        yield _young_process(bench)
    yield _old_target_discovered(bench)
    yield _reset(bench)
    yield _reset_across_a_gap(bench)
    yield _gap(bench)
    yield _zero_traffic(bench)
    if not isinstance(bench.slo.indicator, Latency):
        yield _no_error_series(bench)


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
        bench.recorded("10m", "sereno:coverage:delta1m", 1),
    )


def _newborn_series(bench: Bench) -> Case:
    """An error series is born with its first errors: the field's usual `increase()` doesn't see them."""
    watched = Target(TARGET_NAME, LONG_AGO_SECONDS, up=(1,) * (10 * _MINUTE + 1))
    born = steady(5 * _MINUTE, 0).later(5 * _MINUTE)
    newborn = Counted(_shifted(born.events, 4), _shifted(born.bad_events, 4))
    series = [
        *bench.healthy(steady(10 * _MINUTE, _EVENTS)),
        *bench.feed.counters(watched.series("newborn"), newborn),
    ]
    # Where total and bad are two metrics of their own, and for latency, the newborn's events are new as well.
    return bench.case(
        "counts the first value of a series that is born inside a watched target",
        series,
        bench.recorded("4m", "sereno:bad_events:delta1m", 0),
        bench.recorded("5m", "sereno:bad_events:delta1m", 4),
        bench.recorded("5m", "sereno:events:delta1m", 64),
        bench.recorded("6m", "sereno:bad_events:delta1m", 0),
    )


def _shifted(values: Values, by: float) -> Values:
    return tuple(None if value is None else value + by for value in values)


def _second_target(bench: Bench, counted: Counted, started_seconds: float) -> list[Series]:
    up = tuple(None if value is None else 1 for value in counted.events)
    target = Target(OTHER_TARGET_NAME, started_seconds, up=up)
    return [*bench.feed.health(target), *bench.feed.counters(target, counted)]


def _first_target(bench: Bench) -> tuple[list[Series], float]:
    """A target that was there before, and its events a minute; none where the selectors read one target only."""
    if not bench.feed.tells_targets_apart:
        return [], 0
    return bench.healthy(steady(10 * _MINUTE, _EVENTS)), _EVENTS * _MINUTE


def _young_process(bench: Bench) -> Case:
    """A new pod is scraped for the first time: what it has counted happened since its start."""
    grown = steady(5 * _MINUTE, 0).later(5 * _MINUTE)
    second = Counted(_shifted(grown.events, 8), _shifted(grown.bad_events, 2))
    first, events = _first_target(bench)
    return bench.case(
        "counts the first value of a young process",
        [*first, *_second_target(bench, second, started_seconds=280)],
        bench.recorded("5m", "sereno:events:delta1m", events + 8),
        bench.recorded("5m", "sereno:bad_events:delta1m", 2),
        bench.recorded("6m", "sereno:events:delta1m", events),
    )


def _old_target_discovered(bench: Bench) -> Case:
    """A process that has run for long is discovered: its counters hold last year's events."""
    grown = steady(5 * _MINUTE, 5, 1).later(5 * _MINUTE)
    second = Counted(_shifted(grown.events, 1_000_000), _shifted(grown.bad_events, 100_000))
    first, events = _first_target(bench)
    return bench.case(
        "does not count the past of a target that is discovered now",
        [*first, *_second_target(bench, second, LONG_AGO_SECONDS)],
        bench.recorded("5m", "sereno:events:delta1m", events or None),
        bench.recorded("5m", "sereno:bad_events:delta1m", 0 if events else None),
        bench.recorded("6m", "sereno:events:delta1m", events + 10),
        bench.recorded("6m", "sereno:bad_events:delta1m", 2),
    )


def _restarted(counted: Counted, at: int, events: float, bad_events: float) -> Counted:
    """From scrape `at` on the counters have begun anew and stand at these values."""

    def after(values: Values, value: float) -> Values:
        return (*values[:at], *([value] * (len(values) - at)))

    return Counted(after(counted.events, events), after(counted.bad_events, bad_events))


def _reset(bench: Bench) -> Case:
    counted = _restarted(steady(10 * _MINUTE, _EVENTS, _BAD_EVENTS), 5 * _MINUTE, 12, 2)
    return bench.case(
        "counts from zero after a reset",
        bench.healthy(counted),
        bench.recorded("5m", "sereno:events:delta1m", 12),
        bench.recorded("5m", "sereno:bad_events:delta1m", 2),
        bench.recorded("6m", "sereno:events:delta1m", 0),
    )


def _without_scrapes(counted: Counted, start: int, end: int) -> Counted:
    def gap(values: Values) -> Values:
        return (*values[:start], *([None] * (end - start)), *values[end:])

    return Counted(gap(counted.events), gap(counted.bad_events))


def _reset_across_a_gap(bench: Bench) -> Case:
    counted = _restarted(steady(12 * _MINUTE, _EVENTS, _BAD_EVENTS), 10 * _MINUTE, 20, 4)
    counted = _without_scrapes(counted, 4 * _MINUTE + 1, 10 * _MINUTE)
    return bench.case(
        "counts from zero after a reset that happened in a gap of six minutes",
        bench.healthy(counted),
        bench.recorded("10m", "sereno:events:delta1m", 20),
        bench.recorded("10m", "sereno:bad_events:delta1m", 4),
        bench.recorded("11m", "sereno:events:delta1m", 0),
    )


def _gap(bench: Bench) -> Case:
    counted = _without_scrapes(steady(15 * _MINUTE, _EVENTS, _BAD_EVENTS), 2 * _MINUTE + 1, 12 * _MINUTE)
    return bench.case(
        "catches up after a gap of ten minutes",
        bench.healthy(counted),
        bench.recorded("12m", "sereno:events:delta1m", 600),
        bench.recorded("12m", "sereno:bad_events:delta1m", 60),
        bench.recorded("13m", "sereno:events:delta1m", 60),
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
