"""What counters and gauges are: by their targets' word, and by their values of the last hours."""

from collections.abc import Iterator
from typing import assert_never

from sereno_slo.duration import Duration
from sereno_slo.history.asking import Asker
from sereno_slo.model import (
    BadEventsRatio,
    GoodEventsRatio,
    Latency,
    NativeLatency,
    Probe,
    ServiceLevelObjective,
    Settings,
    Threshold,
)
from sereno_slo.plan.counting import target_of
from sereno_slo.promql import Aggregation, Call, Expr, Selector
from sereno_slo.validate.survey import RESETS_WITHIN_HOURS, KindSight

_RESETS_WITHIN = Duration.parse(f"{RESETS_WITHIN_HOURS}h")
_GAUGES_WITHIN = Duration.parse("1d")


def kinds_of(asker: Asker, slo: ServiceLevelObjective, settings: Settings) -> tuple[KindSight, ...]:
    """Of each metric that the indicator reads by a name of its own."""
    match slo.indicator:
        case BadEventsRatio(total=total, bad=part) | GoodEventsRatio(total=total, good=part):
            selectors = (total,) if part.metric == total.metric else (total, part)
            return tuple(_counter(asker, selector, settings) for selector in selectors)
        case Latency(total=total):
            return (_counter(asker, total, settings),)
        case NativeLatency(histogram=histogram):
            return (KindSight(histogram.metric, asker.types(histogram.metric)),)
        case Threshold(gauge=gauge) | Probe(gauge=gauge):
            return (_gauge(asker, gauge),)
        case _:
            assert_never(slo.indicator)


def _counter(asker: Asker, counter: Selector, settings: Settings) -> KindSight:
    """How often it went down more than its target's process began, on the target where it did so most."""
    identity = settings.identity_labels
    resets = Aggregation("max", Call("resets", (counter.over(_RESETS_WITHIN),)), identity)
    unexplained: Expr = resets
    if settings.process_start_metric is not None:
        start = target_of(counter, settings.process_start_metric, identity)
        starts = Aggregation("max", Call("changes", (start.over(_RESETS_WITHIN),)), identity)
        unexplained = (resets - starts).or_(resets)
    most = asker.numbers({"most": Aggregation("max", unexplained)}).get("most", 0)
    return KindSight(counter.metric, asker.types(counter.metric), resets=most)


def _gauge(asker: Asker, gauge: Selector) -> KindSight:
    found = asker.numbers(dict(_extremes(gauge)))
    return KindSight(gauge.metric, asker.types(gauge.metric), lowest=found.get("min"), highest=found.get("max"))


def _extremes(gauge: Selector) -> Iterator[tuple[str, Expr]]:
    for which in ("min", "max"):
        yield which, Aggregation(which, Call(f"{which}_over_time", (gauge.over(_GAUGES_WITHIN),)))
