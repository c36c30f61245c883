"""Mistakes that only a server's past shows: alerts that can't fire, outages found late, series that aren't there."""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import replace

from sereno_slo.conventions import LATEST_PAGE_OF_AN_OUTAGE, MIN_RECENT_BAD_EVENTS
from sereno_slo.diagnostics import Diagnostic, Severity, Span
from sereno_slo.duration import MINUTE, Duration
from sereno_slo.model import (
    AlertingMode,
    BurnTier,
    Latency,
    Probe,
    ServiceLevelObjective,
    Threshold,
)
from sereno_slo.parse.yaml_tree import Path, YamlTree
from sereno_slo.validate.feasibility import AlertReach, Feasibility, Reach, feasibility
from sereno_slo.validate.places import at, indicator_path, total_span
from sereno_slo.validate.survey import Survey
from sereno_slo.validate.traffic import Sighting

_LATEST_MINUTES = LATEST_PAGE_OF_AN_OUTAGE / MINUTE
_SYNTHETIC = "send synthetic requests, or add an SLO of kind probe, whose outage pages after five minutes"

_BY_RATIO = "write mode: both, which judges quiet hours by their own error ratio"


def findings_of_sighting(
    slo: ServiceLevelObjective, sighting: Sighting, survey: Survey, index: int, tree: YamlTree
) -> Iterator[Diagnostic]:
    """What the server's traffic lacks; `index` is the SLO's place in the spec."""
    if sighting.traffic is None and (sighting.matches or survey.total.series):
        message = f"the server saw no event of {slo.indicator.total} in seven days, so no alert can be judged"
        cure = f"check that somebody calls it; else {_SYNTHETIC}"
        yield Diagnostic("SLO052", total_span(slo, index, tree), message, cure, Severity.WARNING)
    if isinstance(slo.indicator, Latency) and sighting.bounds_seconds is not None:
        span = tree.span((*indicator_path(slo, index), "threshold"))
        yield from _of_buckets(slo.indicator, sighting.bounds_seconds, span, slo.service)


def _of_buckets(latency: Latency, bounds: tuple[float, ...], span: Span, service: str) -> Iterator[Diagnostic]:
    if any(math.isclose(bound, latency.threshold_seconds, rel_tol=1e-9) for bound in bounds):
        return
    message = f"{latency.metric} has no bucket of {latency.threshold_seconds:g} s on the server: nothing is counted"
    cure = f"give the service the compiled bounds (buckets/{service}.json)"
    finite = [bound for bound in bounds if math.isfinite(bound) and bound > 0]
    below = [bound for bound in finite if bound < latency.threshold_seconds][-1:]
    above = [bound for bound in finite if bound > latency.threshold_seconds][:1]
    if finite:
        nearest = " or ".join(str(Duration(round(bound * 1000))) for bound in (*below, *above))
        cure = f"write {nearest}, or {cure}"
    yield Diagnostic("SLO053", span, message, cure)


def findings_of_traffic(feasible: Feasibility, index: int, tree: YamlTree) -> Iterator[Diagnostic]:
    """What alerts can't see at the SLO's traffic, and what outages they see too late."""
    for alert in feasible.alerts:
        if alert.tier is not None and not alert.by_night.is_possible:
            message = f"the {alert.severity} alert over {alert.tier.long} can't fire {_when(alert, feasible)}"
            cure = _cure_of_tier(feasible, alert.tier)
            yield Diagnostic("SLO050", _span_of_tier(alert.tier, index, tree), message, cure, Severity.WARNING)
    minutes = feasible.page_by_night
    if minutes is None or minutes > _LATEST_MINUTES:
        after = "pages nobody within a day" if minutes is None else f"pages after {MINUTE * minutes}"
        message = f"a full outage that begins at {feasible.traffic.night:02}:00 UTC, the quietest hour, {after}"
        span = tree.span(("slos", index, "alerting"))
        yield Diagnostic("SLO051", span, message, _cure_of_outage(feasible), Severity.WARNING)


def _when(alert: AlertReach, feasible: Feasibility) -> str:
    """By night, or never; with the failures that lack."""
    if not alert.by_day.is_possible:
        return f"at this traffic: {_lacking(alert.by_day, 'busiest', feasible.slo)}"
    return f"by night: {_lacking(alert.by_night, 'quietest', feasible.slo)}"


def _lacking(reach: Reach, which: str, slo: ServiceLevelObjective) -> str:
    counted = counted_in_words(slo, reach.events)
    return (
        f"it needs {reach.failures:,} failures where the {which} {reach.window} usually has {reach.events:,} {counted}"
    )


def counted_in_words(slo: ServiceLevelObjective, count: int = 2) -> str:
    """What an event is: a minute for time slices."""
    word = "minute" if isinstance(slo.indicator, Threshold | Probe) else "event"
    return word if count == 1 else f"{word}s"


def _cure_of_tier(feasible: Feasibility, tier: BurnTier) -> str:
    def helps(changed: Feasibility) -> bool:
        return any(other.tier == tier and other.by_night.is_possible for other in changed.alerts)

    return ", or ".join([*_settings_that(helps, feasible), "lengthen its windows", "send synthetic requests"])


def _cure_of_outage(feasible: Feasibility) -> str:
    return ", or ".join([*_settings_that(_pages_in_time, feasible), _SYNTHETIC])


def _settings_that(help_: Callable[[Feasibility], bool], feasible: Feasibility) -> list[str]:
    """What to write: each of two settings that helps, both together where neither does; tried before it is said."""

    def fewest(mode: AlertingMode | None) -> int | None:
        """The most failures that may be asked for: fewer than some recent ones are no evidence."""
        counts = range(MIN_RECENT_BAD_EVENTS, feasible.slo.alerting.min_bad_events)
        enough = bisect_left(counts, x=True, key=lambda count: not help_(_with(feasible, mode, count)))
        return counts[enough - 1] if enough else None

    cures = [_BY_RATIO] if help_(_with(feasible, AlertingMode.BOTH)) else []
    if (alone := fewest(None)) is not None:
        cures.append(f"write min_bad_events: {alone}")
    if not cures and (together := fewest(AlertingMode.BOTH)) is not None:
        cures.append(f"write mode: both and min_bad_events: {together}")
    return cures


def _pages_in_time(feasible: Feasibility) -> bool:
    """Whether somebody is paged soon enough when everything fails by night."""
    return feasible.page_by_night is not None and feasible.page_by_night <= _LATEST_MINUTES


def _with(feasible: Feasibility, mode: AlertingMode | None = None, min_bad_events: int | None = None) -> Feasibility:
    """The same with another policy."""
    alerting = feasible.slo.alerting
    changed = replace(
        alerting,
        mode=alerting.mode if mode is None else mode,
        min_bad_events=alerting.min_bad_events if min_bad_events is None else min_bad_events,
    )
    return feasibility(replace(feasible.slo, alerting=changed), feasible.traffic, feasible.evaluation_delay)


def _span_of_tier(tier: BurnTier, index: int, tree: YamlTree) -> Span:
    """Where the tier stands; of the usual policy, and of sereno.yaml's, the SLO's objective."""
    path: Path = ("slos", index, "alerting", "tiers")
    for position, written in enumerate(at(tree, path) or ()):
        if written.get("severity") == tier.severity and Duration.parse(written["long"]) == tier.long:
            return tree.span((*path, position))
    return tree.span(("slos", index, "objective"))
