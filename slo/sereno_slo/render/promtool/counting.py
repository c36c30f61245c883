"""Does the ledger count what happened? Births, resets, gaps, discoveries, silence; scrapes every 30 s."""

from collections.abc import Iterator
from dataclasses import replace

from sereno_slo.model import BadEventsRatio, GoodEventsRatio, Indicator, Latency
from sereno_slo.render.promtool.cases import LONG_AGO_SECONDS, OTHER_TARGET_NAME, TARGET_NAME, Bench, Case
from sereno_slo.render.promtool.streams import Counted, Series, Target, Values, phases, steady

# Scrapes every 30 s, so two a minute.
_MINUTE = 2
_EVENTS, _BAD_EVENTS = 30, 3  # a scrape; twice that a minute
_DISCOVERED_SECONDS = 300.0  # of the test's clock: when second targets are scraped for the first time


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
    yield _down_for_long(bench)
    yield _vanishing(bench)
    yield _zero_traffic(bench)
    yield _never_any_traffic(bench)
    if not isinstance(bench.slo.indicator, Latency):
        yield _no_error_series(bench)
    if _may_count_good_late(bench.slo.indicator):
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


def _first_target(bench: Bench, minutes: int = 10) -> tuple[list[Series], float]:
    """A target that was there before, and its events a minute; none where the selectors read one target only."""
    if not bench.feed.tells_targets_apart:
        return [], 0
    return bench.healthy(steady(minutes * _MINUTE, _EVENTS)), _EVENTS * _MINUTE


def _young_process(bench: Bench) -> Case:
    """A new pod is scraped for the first time minutes after its start: what it has counted happened since then."""
    grown = steady(5 * _MINUTE, 0).later(5 * _MINUTE)
    second = Counted(_shifted(grown.events, 8), _shifted(grown.bad_events, 2))
    first, events = _first_target(bench)
    return bench.case(
        "counts the first value of a young process",
        [*first, *_second_target(bench, second, started_seconds=_DISCOVERED_SECONDS - 150)],
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
        [*first, *_second_target(bench, second, started_seconds=_DISCOVERED_SECONDS - 1000)],
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
    """What is counted may be reset while the scraped process lives on: an exporter's does when its subject restarts."""
    counted = _restarted(steady(12 * _MINUTE, _EVENTS, _BAD_EVENTS), 10 * _MINUTE, 20, 4)
    counted = _without_scrapes(counted, 4 * _MINUTE + 1, 10 * _MINUTE)
    target = Target(TARGET_NAME, LONG_AGO_SECONDS, up=tuple(0 if v is None else 1 for v in counted.events))
    return bench.case(
        "counts from zero after a reset that happened while the target was down for six minutes",
        [*bench.feed.health(target), *bench.feed.counters(target, counted)],
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


def _down_for_long(bench: Bench) -> Case:
    """A gap of 17 minutes is longer than the ledger looks back: better a loss that coverage tells than a guess."""
    up = (*(1,) * (3 * _MINUTE), *(0,) * (17 * _MINUTE), *(1,) * (3 * _MINUTE))
    grown = steady(len(up) - 1, 5, 1)
    seen = Counted(*(tuple(v if u else None for v, u in zip(values, up, strict=True)) for values in _both(grown)))
    target = Target(OTHER_TARGET_NAME, LONG_AGO_SECONDS, up=up)
    first, events = _first_target(bench, minutes=23)
    return bench.case(
        "does not count the past of a target that was down for too long, and says so",
        [*first, *bench.feed.health(target), *bench.feed.counters(target, seen)],
        bench.recorded("10m", "sereno:coverage:delta1m", 0.5 if events else 0),
        bench.recorded("20m", "sereno:events:delta1m", events or None),
        bench.recorded("21m", "sereno:events:delta1m", events + 10),
        bench.recorded("21m", "sereno:bad_events:delta1m", 2),
    )


def _both(counted: Counted) -> tuple[Values, Values]:
    return counted.events, counted.bad_events


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


def _may_count_good_late(indicator: Indicator) -> bool:
    """Whether more good events than events can be seen in a minute: the two are counters of their own."""
    if isinstance(indicator, GoodEventsRatio):
        return indicator.good.metric != indicator.total.metric
    return isinstance(indicator, Latency)


def _good_counted_late(bench: Bench) -> Case:
    """A call is counted in one scrape and found good in the next: nothing was bad, and nothing less than that."""
    return bench.case(
        "bad events are never less than none",
        bench.healthy(phases((5 * _MINUTE, _EVENTS, 3), (5 * _MINUTE, _EVENTS, -3))),
        bench.recorded("5m", "sereno:bad_events:delta1m", 6),
        bench.recorded("7m", "sereno:bad_events:delta1m", 0),
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
