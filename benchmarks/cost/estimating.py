"""What `sereno plan` says beforehand that Sereno's rules cost (docs/plan.md), of the same SLOs that are measured."""

from typing import assert_never

from sereno_slo import Settings
from sereno_slo.changes import SeriesCounts, cost_of

from benchmarks.cost.raw import PATHS, Kind, Size
from benchmarks.cost.specs import sereno_slo


def series_counts(kind: Kind, size: Size) -> SeriesCounts:
    """How many raw series the SLO's indicator reads."""
    match kind:
        case Kind.LATENCY:  # the count and the threshold's bucket of each
            return SeriesCounts(size.raw_series // 2, size.raw_series // 2, size.targets)
        case Kind.GROUPED:
            return SeriesCounts(size.raw_series, size.error_series, size.targets, PATHS)
        case Kind.RATIO:
            return SeriesCounts(size.raw_series, size.error_series, size.targets)
        case _:
            assert_never(kind)


def estimated_samples_per_minute(kind: Kind, size: Size) -> float:
    """Samples that all rules of the SLO read in a minute, from the rules alone."""
    return cost_of(sereno_slo(kind), Settings()).read.at(series_counts(kind, size))
