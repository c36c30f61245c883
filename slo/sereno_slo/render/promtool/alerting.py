"""Do pages come when they must, stay away when they must, and end? Short windows, scrapes every 30 s."""

import math
from collections.abc import Iterator

from sereno_slo.duration import Duration
from sereno_slo.model import BurnTier
from sereno_slo.policy import is_feasible
from sereno_slo.render.promtool.cases import Bench, Case
from sereno_slo.render.promtool.streams import Counted, phases

_SCRAPES_PER_MINUTE = 2
_EVENTS = 300  # a scrape, at least
_MINUTE = Duration.parse("1m")


def alerting_cases(bench: Bench) -> Iterator[Case]:
    """Outage, the fast tier, and what is too little to alert on."""
    yield _outage(bench)
    fast = bench.slo.alerting.tiers[0]
    if is_feasible(bench.slo, fast):
        yield _fast_burn(bench, fast)
    yield _single_failure(bench)
    if bench.slo.alerting.min_bad_events > 1:
        yield _few_failures(bench)


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
    """Two minutes of failures tell an outage: after one, half of the last two minutes was still good."""
    lasting = bench.lasting_minutes
    events = bench.events_a_scrape(_EVENTS)
    page = {"burn": "outage", "severity": "critical"}
    return bench.case(
        "a full outage pages after two minutes and the outage alert ends with it",
        bench.healthy(_failing_between(events, healthy=10, failing=5, bad_events=events, healed=4 + lasting)),
        bench.burns(_minutes(10), count=None),
        bench.burns(_minutes(11), count=None, burn="outage"),
        bench.burns(_minutes(12), count=1, **page),
        bench.burns(_minutes(15), count=1, **page),
        bench.burns(_minutes(16 + lasting), count=None, burn="outage"),
    )


def _fast_burn(bench: Bench, tier: BurnTier) -> Case:
    """Two and a half times the tier's threshold, for long enough to spend its share; half of that is too early."""
    events = bench.events_a_scrape(_EVENTS)
    # In windows of few days the tier's burn rate is below 1; what is not worse than the objective is no evidence.
    threshold = min(1.0, max(1.5, tier.factor(bench.slo.window)) * bench.slo.error_budget_ratio)
    ratio = min(1.0, 2.5 * threshold)
    healthy = math.ceil(tier.long / _MINUTE)
    needed = math.ceil(threshold / ratio * healthy) + 2
    resolved_after = math.ceil(tier.short / _MINUTE) + 2 + bench.lasting_minutes
    bad_events = math.ceil(ratio * events)
    fires_at, ends_at = healthy + needed, healthy + needed + resolved_after
    labels = {"burn": tier.burn, "severity": str(tier.severity), "long_window": str(tier.long)}
    an_hour = 60 * _SCRAPES_PER_MINUTE
    no_outage = (bench.burns(_minutes(fires_at), count=None, burn="outage"),) if bad_events * 2 < events else ()
    return bench.case(
        f"a burn over {tier.long} alerts and resolves after {tier.short}",
        bench.healthy(
            _failing_between(events, healthy=healthy, failing=needed, bad_events=bad_events, healed=resolved_after)
        ),
        bench.burns(_minutes(healthy), count=None),
        bench.recorded(str(_minutes(healthy + needed // 2)), "sereno:events:30m", events * an_hour / 2),
        bench.recorded(str(_minutes(healthy + needed // 2)), "sereno:events:1h", events * an_hour),
        bench.burns(_minutes(healthy + needed // 2), count=None, **labels),
        bench.burns(_minutes(fires_at), count=1, **labels),
        *no_outage,
        bench.burns(_minutes(ends_at), count=None, **labels),
    )


def _single_failure(bench: Bench) -> Case:
    """At ten requests an hour one failure is a burn of a thousand by arithmetic, and no evidence at all."""
    minutes = (10, 12, 15, 20)
    return bench.case(
        "a single failure at ten requests an hour pages nobody",
        bench.healthy(phases((3, 0, 0), (1, 1, 0), (11, 0, 0), (1, 1, 0), (3, 0, 0), (1, 1, 1), (20, 0, 0))),
        # Tickets read roll-ups, which count fivefold at this evaluation interval: the 5m file judges them.
        *(bench.burns(_minutes(minute), count=None, severity="critical") for minute in minutes),
        bench.recorded("12m", "sereno:bad_events:5m", 1),
    )


def _few_failures(bench: Bench) -> Case:
    """However large their share: one bad event fewer than `min_bad_events`, and then hardly more than half of some."""
    least = bench.slo.alerting.min_bad_events
    undecided = 2 * least - 1
    quiet_minutes = 6
    second = quiet_minutes + 10
    return bench.case(
        "few failures page nobody, and hardly more than half is no outage",
        bench.healthy(
            phases(
                (20, 0, 0),
                (1, least - 1, least - 1),
                (2 * quiet_minutes - 1, 0, 0),
                (1, undecided, least),
                (10, 0, 0),
            )
        ),
        *(bench.burns(_minutes(minute), count=None, severity="critical") for minute in (11, 12, 14)),
        bench.recorded("11m", "sereno:bad_events:5m", least - 1),
        *(bench.burns(_minutes(minute), count=None, burn="outage") for minute in (second + 1, second + 2)),
        bench.recorded(f"{second + 1}m", "sereno:bad_events:5m", least),
    )
