"""How many raw series an SLO's rules read: what its cost is made of."""

from sereno_slo.changes.cost import SeriesCounts
from sereno_slo.history.asking import Asker, seen
from sereno_slo.model import BadEventsRatio, GoodEventsRatio, Latency, ServiceLevelObjective, Settings
from sereno_slo.plan.counting import target_of
from sereno_slo.promql import Aggregation, Expr


def series_counts(asker: Asker, slo: ServiceLevelObjective, settings: Settings) -> SeriesCounts:
    """Those of the last hour, in one question; it may raise a `PrometheusError`."""
    total = slo.indicator.total
    exprs: dict[str, Expr] = {"total": seen(total), "targets": seen(target_of(total, "up", settings.identity_labels))}
    match slo.indicator:
        case BadEventsRatio(bad=part) | GoodEventsRatio(good=part) | Latency(fast=part):
            exprs["part"] = seen(part)
        case _:
            pass
    if slo.group_by is not None:
        exprs["groups"] = Aggregation("count", seen(total), slo.group_by.labels)
    counts = asker.counts(exprs)
    groups = 0 if slo.group_by is None else min(counts["groups"], slo.group_by.limit)
    return SeriesCounts(counts["total"], counts.get("part", 0), counts["targets"], groups)
