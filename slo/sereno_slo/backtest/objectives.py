"""What other objectives would have been, and which one the past suggests."""

from dataclasses import dataclass, replace

import numpy as np

from sereno_slo.backtest.arrays import Array
from sereno_slo.backtest.notices import Period
from sereno_slo.model import ServiceLevelObjective

COMMON_PERCENTS = (90.0, 95.0, 98.0, 99.0, 99.5, 99.9, 99.95, 99.99)
WHAT_IF_PERCENTS = (99.0, 99.5, 99.9, 99.95)
LEAST_LEFT_RATIO = 0.2
"""So much of its budget has to be left in the worst window."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The strictest common objective that the past supports, and why."""

    objective_percent: float | None
    """None where not even the least strict one would have kept its budget, or where there is no window to judge by."""
    worst_error_ratio: float | None
    """Of the SLO's windows that ended in the period; None without events."""
    is_whole: bool
    """Whether whole windows were there to judge by, and not only shorter ones."""


def with_objective(slo: ServiceLevelObjective, percent: float) -> ServiceLevelObjective:
    """The same SLO with another objective."""
    return replace(slo, objective_percent=percent)


def what_if_percents(slo: ServiceLevelObjective) -> tuple[float, ...]:
    """The objectives that are shown: the usual ones and the SLO's own, from the least strict on."""
    return tuple(sorted({*WHAT_IF_PERCENTS, slo.objective_percent}))


def suggested(
    slo: ServiceLevelObjective, events: Array, error_ratio: Array, period: Period, whole_from: int
) -> Suggestion:
    """The strictest common objective with a fifth of its budget left in the worst window of the period.

    `events` and `error_ratio` are the figures recorded of the SLO's window. Windows that the history doesn't hold as a
    whole are judged only where there is no whole one, and then only the last. An objective whose budget is fewer than
    `min_bad_events` isn't suggested: a handful of failures, which no alert takes for evidence, would decide about it.
    """
    ends = np.arange(len(events))
    is_whole = whole_from < period.end
    whole = (ends >= max(period.begin, whole_from)) & (ends < period.end)
    judged = whole if is_whole else ends == _last(events, period)
    judged &= ~np.isnan(error_ratio) & (events > 0)
    if not judged.any():
        return Suggestion(None, None, is_whole)
    worst = float(error_ratio[judged].max())
    fewest = float(events[judged].min())
    return Suggestion(_strictest(worst, fewest, slo.alerting.min_bad_events), worst, is_whole)


def _last(events: Array, period: Period) -> int:
    there = np.flatnonzero(~np.isnan(events[: period.end]))
    return int(there[-1]) if len(there) else -1


def _strictest(worst_error_ratio: float, fewest_events: float, min_bad_events: int) -> float | None:
    def is_kept(percent: float) -> bool:
        budget_ratio = round(1 - percent / 100, 12)
        is_evidence = budget_ratio * fewest_events >= min_bad_events
        return is_evidence and worst_error_ratio <= (1 - LEAST_LEFT_RATIO) * budget_ratio

    return max(filter(is_kept, COMMON_PERCENTS), default=None)
