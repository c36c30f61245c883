"""Are events counted once while processes and series come, go and come back? Scrapes every 30 s, so two a minute."""

from collections.abc import Iterator

from sereno_slo.render.promtool.cases import LONG_AGO_SECONDS, OTHER_TARGET_NAME, TARGET_NAME, Bench, Case
from sereno_slo.render.promtool.streams import Counted, Series, Target, phases, restarted, steady, where_up

_MINUTE = 2
_EVENTS, _BAD_EVENTS = 30, 3  # a scrape; twice that a minute
_DISCOVERED_SECONDS = 300.0  # of the test's clock: when second targets are scraped for the first time


def life_cases(bench: Bench) -> Iterator[Case]:
    """Births, discoveries, restarts and long silences."""
    yield _newborn_series(bench)
    yield _newborn_after_failed_scrapes(bench)
    if bench.settings.process_start_metric is not None:
        yield _young_process(bench)
        yield _restart_that_values_hide(bench)
        yield _gaps_of_a_young_process(bench)
    yield _old_target_discovered(bench)
    yield _reset_across_a_gap(bench)
    yield _down_for_long(bench)


def _newborn_series(bench: Bench) -> Case:
    """An error series is born with its first errors: the field's usual `increase()` doesn't see them."""
    watched = Target(TARGET_NAME, LONG_AGO_SECONDS, up=(1,) * (10 * _MINUTE + 1))
    newborn = phases((5 * _MINUTE, 0, 0)).beginning_at(4, 4).later(5 * _MINUTE)
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


def _newborn_after_failed_scrapes(bench: Bench) -> Case:
    """What makes scrapes fail makes requests fail, too: the first error series come with the first good scrape."""
    up = (*(1,) * (4 * _MINUTE), *(0,) * (3 * _MINUTE), *(1,) * (2 * _MINUTE))
    target = Target(TARGET_NAME, LONG_AGO_SECONDS, up=up)
    newborn = steady(2 * _MINUTE - 1, 0).beginning_at(9, 9).later(7 * _MINUTE)
    return bench.case(
        "counts the first value of a series that is born while scrapes fail",
        [
            *bench.feed.health(target),
            *bench.feed.counters(target, where_up(steady(len(up) - 1, _EVENTS), up)),
            *bench.feed.counters(target.series("newborn"), newborn),
        ],
        bench.recorded("7m", "sereno:events:delta1m", 7 * _EVENTS + 9),  # the last scrape before was at 3m30s
        bench.recorded("7m", "sereno:bad_events:delta1m", 9),
        bench.recorded("8m", "sereno:bad_events:delta1m", 0),
    )


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
    second = steady(5 * _MINUTE, 0).beginning_at(8, 2).later(5 * _MINUTE)
    first, events = _first_target(bench)
    return bench.case(
        "counts the first value of a young process",
        [*first, *_second_target(bench, second, started_seconds=_DISCOVERED_SECONDS - 1200)],
        bench.recorded("5m", "sereno:events:delta1m", events + 8),
        bench.recorded("5m", "sereno:bad_events:delta1m", 2),
        bench.recorded("6m", "sereno:events:delta1m", events),
    )


def _restart_that_values_hide(bench: Bench) -> Case:
    """A service that fails once in each of its lives counts 1, and then 1 again: its start tells that this is one more.

    Later the start wobbles by a second, as it does when the clock is corrected: that is no further restart.
    """
    same, grown = 8 * _EVENTS, 8 * _BAD_EVENTS + 7  # at scrape 8, the last one before the minute of the restart
    counted = restarted(steady(10 * _MINUTE, _EVENTS, _BAD_EVENTS), 5 * _MINUTE, same, grown)
    restarts = {5 * _MINUTE: _DISCOVERED_SECONDS - 5, 7 * _MINUTE: _DISCOVERED_SECONDS - 4}
    target = Target(TARGET_NAME, LONG_AGO_SECONDS, up=(1,) * (10 * _MINUTE + 1), restarts=restarts)
    return bench.case(
        "counts from zero after a restart that values don't show, once",
        [*bench.feed.health(target), *bench.feed.counters(target, counted)],
        bench.recorded("4m", "sereno:events:delta1m", 2 * _EVENTS),
        bench.recorded("5m", "sereno:events:delta1m", same),
        bench.recorded("5m", "sereno:bad_events:delta1m", grown),
        *(bench.recorded(at, "sereno:events:delta1m", 0) for at in ("6m", "7m", "8m")),
    )


def _gaps_of_a_young_process(bench: Bench) -> Case:
    """Young processes count in full only what they hadn't shown before: four series, away for 8 to 23 minutes."""
    minutes, last_seen = 25 * _MINUTE, 3
    target = Target(TARGET_NAME, 0.0, up=(1,) * (minutes + 1))
    away: list[Series] = []
    for back in (9, 14, 19, 24):
        here = tuple(int(scrape <= last_seen or scrape >= back * _MINUTE) for scrape in range(minutes + 1))
        counted = steady(minutes, 1).beginning_at(1000, 0)
        away += bench.feed.counters(target.series(f"back after {back} minutes"), where_up(counted, here))
    first = [*bench.feed.health(target), *bench.feed.counters(target, steady(minutes, _EVENTS))]
    usual = _EVENTS * _MINUTE
    return bench.case(
        "goes on where a series of a young process was before a gap",
        [*first, *away],
        bench.recorded("3m", "sereno:events:delta1m", usual),
        # What one of them has counted since 1m30s, and a minute's growth of those that are back already.
        bench.recorded("9m", "sereno:events:delta1m", usual + 15),
        bench.recorded("14m", "sereno:events:delta1m", usual + 2 + 25),
        bench.recorded("19m", "sereno:events:delta1m", usual + 4 + 35),
        bench.recorded("24m", "sereno:events:delta1m", usual + 6 + 45),
    )


def _old_target_discovered(bench: Bench) -> Case:
    """A process that has run for long is discovered: its counters hold last year's events."""
    second = steady(5 * _MINUTE, 5, 1).beginning_at(1_000_000, 100_000).later(5 * _MINUTE)
    first, events = _first_target(bench)
    return bench.case(
        "does not count the past of a target that is discovered now",
        [*first, *_second_target(bench, second, started_seconds=_DISCOVERED_SECONDS - 1700)],
        bench.recorded("5m", "sereno:events:delta1m", events or None),
        bench.recorded("5m", "sereno:bad_events:delta1m", 0 if events else None),
        bench.recorded("6m", "sereno:events:delta1m", events + 10),
        bench.recorded("6m", "sereno:bad_events:delta1m", 2),
    )


def _reset_across_a_gap(bench: Bench) -> Case:
    """What is counted may be reset while the scraped process lives on: an exporter's does when its subject restarts."""
    counted = restarted(steady(15 * _MINUTE, _EVENTS, _BAD_EVENTS), 13 * _MINUTE, 20, 4)
    up = tuple(0 if 4 * _MINUTE < scrape < 13 * _MINUTE else 1 for scrape in range(15 * _MINUTE + 1))
    target = Target(TARGET_NAME, LONG_AGO_SECONDS, up=up)
    return bench.case(
        "counts from zero after a reset that happened while the target was down for nine minutes",
        [*bench.feed.health(target), *bench.feed.counters(target, where_up(counted, up))],
        bench.recorded("13m", "sereno:events:delta1m", 20),
        bench.recorded("13m", "sereno:bad_events:delta1m", 4),
        bench.recorded("14m", "sereno:events:delta1m", 0),
    )


def _down_for_long(bench: Bench) -> Case:
    """A gap longer than the ledger looks back: better a loss that coverage tells than a guess."""
    up = (*(1,) * (3 * _MINUTE), *(0,) * (27 * _MINUTE), *(1,) * (3 * _MINUTE))
    target = Target(OTHER_TARGET_NAME, LONG_AGO_SECONDS, up=up)
    first, events = _first_target(bench, minutes=33)
    return bench.case(
        "does not count the past of a target that was down for too long, and says so",
        [*first, *bench.feed.health(target), *bench.feed.counters(target, where_up(steady(len(up) - 1, 5, 1), up))],
        # Where this is the only target, there is no entry, and no coverage either.
        bench.recorded("10m", "sereno:coverage:delta1m", 0.5 if events else None),
        bench.recorded("30m", "sereno:events:delta1m", events or None),
        bench.recorded("31m", "sereno:events:delta1m", events + 10),
        bench.recorded("31m", "sereno:bad_events:delta1m", 2),
    )
