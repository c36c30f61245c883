"""Do the alerts fire when they must, stay silent when they must, and resolve? Short windows, scrapes every 30 s."""

import math
from collections.abc import Iterator

from sereno_slo.duration import Duration
from sereno_slo.model import BurnTier
from sereno_slo.policy import is_feasible
from sereno_slo.render.promtool.cases import LONG_AGO_SECONDS, TARGET_NAME, Bench, Case
from sereno_slo.render.promtool.streams import Counted, Target, Values, phases, steady

_SCRAPES_PER_MINUTE = 2
_EVENTS = 300  # a scrape, at least
_MINUTE = Duration.parse("1m")
_HEALTHY_MINUTES = 60


def alerting_cases(bench: Bench) -> Iterator[Case]:
    """Outage, the fast tier, single failures, missing data."""
    yield _outage(bench)
    fast = bench.slo.alerting.tiers[0]
    if is_feasible(bench.slo, fast):
        yield _fast_burn(bench, fast)
    yield _single_failure(bench)
    yield _targets_down(bench)
    yield _targets_gone(bench)
    yield _nothing_matches(bench)


def _minutes(count: int) -> Duration:
    return _MINUTE * count


def _lasting(bench: Bench) -> int:
    """Minutes by which `keep_firing_for` delays the end of an alert."""
    kept = bench.slo.alerting.keep_firing_for
    return 0 if kept is None else math.ceil(kept / _MINUTE)


def _healthy_then_failing(failing_minutes: int, events: int, bad_events: int, healthy_minutes: int) -> Counted:
    return phases(
        (_HEALTHY_MINUTES * _SCRAPES_PER_MINUTE, events, 0),
        (failing_minutes * _SCRAPES_PER_MINUTE, events, bad_events),
        (healthy_minutes * _SCRAPES_PER_MINUTE, events, 0),
    )


def _outage(bench: Bench) -> Case:
    lasting = _lasting(bench)
    events = bench.events_a_scrape(_EVENTS)
    counted = _healthy_then_failing(5, events, events, 4 + lasting)
    return bench.case(
        "a full outage pages within three minutes and the outage alert ends with it",
        bench.healthy(counted),
        bench.burns(_minutes(60), count=None),
        bench.burns(_minutes(62), count=1, burn="outage", severity="critical"),
        bench.burns(_minutes(65), count=1, burn="outage", severity="critical"),
        bench.burns(_minutes(68 + lasting), count=None, burn="outage"),
    )


def _fast_burn(bench: Bench, tier: BurnTier) -> Case:
    """Half as bad again as the tier's threshold, for long enough to spend its share."""
    events = bench.events_a_scrape(_EVENTS)
    # In windows of few days the tier's burn rate is below 1; what is not worse than the objective is no evidence.
    threshold = min(1.0, max(1.5, tier.factor(bench.slo.window)) * bench.slo.error_budget_ratio)
    ratio = min(1.0, 1.5 * threshold)
    needed = math.ceil(threshold / ratio * (tier.long / _MINUTE)) + 2
    resolved_after = math.ceil(tier.short / _MINUTE) + 2 + _lasting(bench)
    bad_events = math.ceil(ratio * events)
    fires_at, ends_at = _HEALTHY_MINUTES + needed, _HEALTHY_MINUTES + needed + resolved_after
    labels = {"burn": tier.burn, "severity": str(tier.severity), "long_window": str(tier.long)}
    return bench.case(
        f"a burn over {tier.long} alerts and resolves after {tier.short}",
        bench.healthy(_healthy_then_failing(needed, events, bad_events, resolved_after)),
        bench.burns(_minutes(_HEALTHY_MINUTES), count=None),
        bench.burns(_minutes(fires_at), count=1, **labels),
        bench.burns(_minutes(ends_at), count=None, **labels),
    )


def _single_failure(bench: Bench) -> Case:
    """At ten requests an hour one failure is a burn of a thousand by arithmetic, and no evidence at all."""
    every = 6 * _SCRAPES_PER_MINUTE
    parts: list[tuple[int, float, float]] = []
    for request in range(20):
        parts += [(every - 1, 0, 0), (1, 1, 1 if request == 10 else 0)]  # noqa: PLR2004 - after an hour
    return bench.case(
        "a single failure at ten requests an hour pages nobody",
        bench.healthy(phases(*parts)),
        # Tickets read roll-ups, which count fivefold at this evaluation interval: the 5m file judges them.
        *(bench.burns(_minutes(minute), count=None, severity="critical") for minute in (66, 67, 70, 90, 120)),
        bench.recorded("70m", "sereno:bad_events:5m", 1),
    )


def _target(up: Values) -> Target:
    return Target(TARGET_NAME, LONG_AGO_SECONDS, up=up)


def _targets_down(bench: Bench) -> Case:
    minutes = (10, 10, 5)
    up = tuple(
        value for value, count in zip((1, 0, 1), minutes, strict=True) for _ in range(count * _SCRAPES_PER_MINUTE)
    )
    counted = steady(len(up) - 1, _EVENTS)
    seen = Counted(*(_where_up(values, up) for values in (counted.events, counted.bad_events)))
    target = _target(up)
    return bench.case(
        "a target that is down is critical after five minutes, and resolves",
        [*bench.feed.health(target), *bench.feed.counters(target, seen)],
        bench.lacks_data(_minutes(9), count=None, severity="critical"),
        bench.lacks_data(_minutes(16), count=1, severity="critical"),
        bench.lacks_data(_minutes(22), count=None, severity="critical"),
    )


def _where_up(values: Values, up: Values) -> Values:
    return tuple(value if is_up else None for value, is_up in zip(values, up, strict=True))


def _targets_gone(bench: Bench) -> Case:
    return bench.case(
        "no target at all is critical after five minutes",
        bench.feed.health(_target((1,) * (2 * _SCRAPES_PER_MINUTE))),
        bench.lacks_data(_minutes(20), count=1, severity="critical"),
    )


def _nothing_matches(bench: Bench) -> Case:
    return bench.case(
        "targets without the counted series are a warning after fifteen minutes, not a page",
        bench.feed.health(_target((1,) * (25 * _SCRAPES_PER_MINUTE))),
        bench.lacks_data(_minutes(14), count=None, severity="warning"),
        bench.lacks_data(_minutes(16), count=1, severity="warning"),
        bench.lacks_data(_minutes(20), count=None, severity="critical"),
    )
