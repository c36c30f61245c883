"""Does an outage page, and is too little to alert on no alert? Short windows, scrapes every 30 s."""

import math
from collections.abc import Iterator

from sereno_slo.duration import Duration
from sereno_slo.model import BurnTier
from sereno_slo.policy import is_feasible
from sereno_slo.render.promtool.cases import Bench, Case
from sereno_slo.render.promtool.streams import Counted, phases
from sereno_slo.render.promtool.tiers import Course, entry_of, labels_of, rehearsal

_SCRAPES_PER_MINUTE = 2
_EVENTS = 300  # a scrape, at least
_MINUTE = Duration.parse("1m")


def alerting_cases(bench: Bench) -> Iterator[Case]:
    """Outage, and what is too little to alert on; the tiers have cases of their own."""
    yield _outage(bench)
    yield from _quiet_outage(bench)
    yield _single_failure(bench)
    if bench.slo.alerting.min_bad_events > 1:
        yield _few_failures(bench)
        for tier in bench.slo.alerting.tiers:
            if is_feasible(bench.slo, tier) and entry_of(bench.slo, tier) == _MINUTE:
                if (found := rehearsal(bench, tier)) is not None:
                    yield _failure_after_a_burn(bench, tier, found.course)
                break


def _minutes(count: int) -> Duration:
    return _MINUTE * count


def _failing_between(events: int, *, healthy: int, failing: int, bad_events: int, healed: int) -> Counted:
    """Steady traffic; for some minutes some of it is bad."""
    return phases(
        (healthy * _SCRAPES_PER_MINUTE, events, 0),
        (failing * _SCRAPES_PER_MINUTE, events, bad_events),
        (healed * _SCRAPES_PER_MINUTE, events, 0),
    )


def _outage(bench: Bench) -> Case:
    """Two minutes of failures tell an outage: after one, half of the last two minutes was still good.

    It ends once most of the last five minutes was good again.
    """
    lasting = bench.lasting_minutes
    events = bench.events_a_scrape(_EVENTS)
    page = {"burn": "outage", "severity": "critical"}
    return bench.case(
        "a full outage pages after two minutes and the outage alert ends with it",
        bench.healthy(_failing_between(events, healthy=10, failing=5, bad_events=events, healed=6 + lasting)),
        bench.burns(_minutes(10), count=None),
        bench.burns(_minutes(11), count=None, burn="outage"),
        bench.burns(_minutes(12), count=1, **page),
        bench.burns(_minutes(15), count=1, **page),
        bench.burns(_minutes(19 + lasting), count=None, burn="outage"),
    )


def _quiet_outage(bench: Bench) -> Iterator[Case]:
    """Where two minutes have fewer events than evidence asks for, five minutes tell."""
    least = bench.slo.alerting.min_bad_events
    events = math.ceil(least / (5 * _SCRAPES_PER_MINUTE))
    if events * 2 * _SCRAPES_PER_MINUTE < least:
        yield bench.case(
            "a full outage of a quiet service pages after five minutes",
            bench.healthy(_failing_between(events, healthy=10, failing=5, bad_events=events, healed=1)),
            bench.burns(_minutes(12), count=None, burn="outage"),
            bench.burns(_minutes(15), count=1, burn="outage", severity="critical"),
        )


def _single_failure(bench: Bench) -> Case:
    """At ten requests an hour one failure is a burn of a thousand by arithmetic, and no evidence at all."""
    minutes = (10, 12, 15, 20)
    return bench.case(
        "a single failure at ten requests an hour is no alert",
        bench.healthy(phases((3, 0, 0), (1, 1, 0), (11, 0, 0), (1, 1, 0), (3, 0, 0), (1, 1, 1), (20, 0, 0))),
        # Longer windows sum roll-ups, which count fivefold at this evaluation interval: the 5m file judges them.
        *(bench.is_quiet(_minutes(minute)) for minute in minutes),
        bench.recorded("12m", "sereno:bad_events:5m", 1),
    )


def _few_failures(bench: Bench) -> Case:
    """However large their share: one bad event fewer than `min_bad_events`, and then hardly more than half of some."""
    least = bench.slo.alerting.min_bad_events
    undecided = 2 * least - 1
    quiet_minutes = 6
    second = quiet_minutes + 10
    return bench.case(
        "few failures are no alert, and hardly more than half is no outage",
        bench.healthy(
            phases(
                (20, 0, 0),
                (1, least - 1, least - 1),
                (2 * quiet_minutes - 1, 0, 0),
                (1, undecided, least),
                (10, 0, 0),
            )
        ),
        *(bench.is_quiet(_minutes(minute)) for minute in (11, 12, 14)),
        bench.recorded("11m", "sereno:bad_events:5m", least - 1),
        *(bench.burns(_minutes(minute), count=None, burn="outage") for minute in (second + 1, second + 2)),
        bench.recorded(f"{second + 1}m", "sereno:bad_events:5m", least),
    )


def _failure_after_a_burn(bench: Bench, tier: BurnTier, course: Course) -> Case:
    """For a while the long window holds evidence enough of what failed before; it says nothing about now."""
    events, bad_events = course.events // _SCRAPES_PER_MINUTE, course.bad_events // _SCRAPES_PER_MINUTE
    burning, quiet = 6, math.ceil(tier.short / _MINUTE) + 1 + bench.lasting_minutes
    counted = phases(
        (burning * _SCRAPES_PER_MINUTE, events, bad_events),
        (quiet * _SCRAPES_PER_MINUTE, 0, 0),
        (1, 1, 1),
        (_SCRAPES_PER_MINUTE * 2, 0, 0),
    )
    at = [_MINUTE * (burning + quiet + minutes) for minutes in (0, 1, 2)]
    return bench.case(
        f"a single failure soon after a burn over {tier.long} is no second one",
        bench.healthy(counted),
        *(bench.burns(moment, count=None, **labels_of(tier)) for moment in at),
        bench.recorded(str(at[1]), f"sereno:bad_events:{tier.short}", 1),
    )
